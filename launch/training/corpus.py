"""Text: the tokenizer trained on reviews and scenes, and which reviews are for what."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.questions import FAMILIES, questions_for
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, imagine_scene
from launch.datasets.imdb import ANSWERS
from launch.datasets.sample import Sample
from launch.training.images import PARTS, part_of
from shared.semantic.config import SemanticConfig
from shared.semantic.tokenizer import SPECIAL, UNKNOWN, TextCodec
from shared.semantic.trace import trace_words

STRETCHES: Final = 5 * PARTS
"""Into as many, at most, are the reviews of a file cut, in its order."""


def reviews_for(part: str, reviews: Sequence[Sample]) -> list[Sample]:
    """Those to train on ('train'), for choosing ('dev'), or for the final figures ('test').

    Whole stretches of the file: reviews of one film stand side by side, and a film that was learned from is
    judged too easily.
    """
    stretches = min(STRETCHES, len(reviews))
    return [review for n, review in enumerate(reviews) if part_of(n * stretches // len(reviews)) == part]


def words_of_scenes(codec: TextCodec, config: SemanticConfig, seed: int = 0) -> list[int]:
    """Token ids of what instructions, questions, traces, captions and answers are written with."""
    said = [*config.instructions.values(), *ANSWERS.values()]
    texts = [*scene_texts(np.random.default_rng(seed), 1_000), *said]
    ids = {token for text in texts for token in codec.encode(text)}
    kept = [*SPECIAL, *trace_words(config.image_tokens)]
    return sorted(ids | {token for word in kept if (token := codec.tokenizer.token_to_id(word)) is not None})


def scene_texts(rng: np.random.Generator, scenes: int) -> Iterator[str]:
    """Questions, answers and captions of imagined scenes."""
    for _ in range(scenes):
        scene = imagine_scene(rng, 10, DEFAULT_RESOLUTION)
        yield caption(scene)
        for question in questions_for(scene, rng, FAMILIES, 10):
            yield question.question
            yield question.answer


def train_tokenizer(reviews: Sequence[Sample], config: SemanticConfig, seed: int = 0) -> TextCodec:
    """Byte-level BPE, lower case, one space in front so that a word is one token wherever it stands."""
    words_of_traces = trace_words(config.image_tokens)
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.llm.vocab - len(words_of_traces),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rng = np.random.default_rng(seed)
    words = [*config.instructions.values(), "positive negative"] * 2_000
    texts = [*(r.text for r in reviews), *scene_texts(rng, 3_000), *words]
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in words_of_traces])
    return TextCodec(tokenizer)
