"""Text: the tokenizer trained on reviews and scenes, and a start for embeddings."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn
from torch.nn import functional

from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.questions import FAMILIES, questions_for
from launch.datasets.clevr_style.scene import DEFAULT_RESOLUTION, imagine_scene
from launch.datasets.sample import Sample
from shared.semantic.config import SemanticConfig
from shared.semantic.tokenizer import SPECIAL, UNKNOWN, TextCodec
from shared.semantic.trace import trace_words


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


def sentiment_start(
    ids: list[list[int]], labels: np.ndarray, vocab: int, width: int, seed: int = 0
) -> torch.Tensor:
    """Embeddings [vocab, width] of unit-variance rows over sqrt(width), bent by a bag-of-words classifier."""
    generator = torch.Generator().manual_seed(seed)
    bag = nn.EmbeddingBag(vocab, width, mode="mean")
    head = nn.Linear(width, 1)
    with torch.no_grad():
        bag.weight.copy_(torch.randn(vocab, width, generator=generator) * width**-0.5)
    optim = torch.optim.Adam([*bag.parameters(), *head.parameters()], lr=2e-3)
    target = torch.as_tensor(labels, dtype=torch.float32)
    for _ in range(4):
        for rows in torch.randperm(len(ids), generator=generator).split(64):
            chosen = [ids[i] for i in rows.tolist()]
            flat = torch.tensor([t for row in chosen for t in row])
            starts = torch.tensor([0, *np.cumsum([len(row) for row in chosen])[:-1].tolist()])
            loss = functional.binary_cross_entropy_with_logits(
                head(bag(flat, starts)).squeeze(1), target[rows]
            )
            optim.zero_grad()
            loss.backward()
            optim.step()
    return bag.weight.detach()
