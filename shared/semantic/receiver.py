"""What the UE needs of the semantic codec: symbols in, an answer out.

Shapes: N image tokens, n text tokens, D token width, U channel uses a token.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from shared.semantic.bundle import Bundle
from shared.semantic.codec import ChannelDecoder, Stream, from_symbols
from shared.semantic.gemma2_split import ReceiverHalf
from shared.semantic.kv_cache import LayerCache, join_caches
from shared.semantic.masks import QuestionAt
from shared.semantic.prompt import Layout, Prompts
from shared.semantic.sender import CodecKind
from shared.semantic.trace import ANSWER, split_trace

State = Literal["received", "erased", "unselected"]


@dataclass(frozen=True, slots=True)
class AnswerRequest:
    """A prompt as it came out of the channel.

    `image_state` and `text_state` have one state a token: an erased token is replaced by the erasure vector,
    an unselected one is left out of attention. With `question_at` 'ue' the question is `text` (or those given
    to `answer_each`), and `text_tokens` stay empty.
    """

    task: str
    image_tokens: Tensor | None = None
    image_state: Sequence[State] = ()
    text_tokens: Tensor | None = None
    text_state: Sequence[State] = ()
    question_at: QuestionAt = "bs"
    text: str | None = None
    max_new_tokens: int | None = None
    trace: bool = True
    """Whether a bundle that reasons before it answers a question may do so."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Words, the reasoning that led to them (empty where there is none), and the ids both came from."""

    text: str
    token_ids: list[int] = field(default_factory=list)
    trace: str = ""


class SemanticReceiver:
    """The channel decoders and a replica of the language model."""

    def __init__(
        self,
        bundle: Bundle,
        split_layer: int | None = None,
        device: str | torch.device = "cpu",
        codec: CodecKind = "linear",
    ) -> None:
        model = bundle.model("receiver")
        self.split_layer = bundle.config.split_layer if split_layer is None else split_layer
        self._dtype = bundle.dtype
        self.device = torch.device(device)
        self.codec = codec
        self.width = bundle.config.llm.hidden
        self.image_length = bundle.config.image_tokens
        self.uses_per_token = bundle.config.uses_per_token if codec == "linear" else self.width // 2
        self.fingerprint = bundle.fingerprint
        self.prompts = Prompts(bundle.config, bundle.text_codec)
        self._text_codec = bundle.text_codec
        self._traces = bundle.config.traces
        self._answer_sign = tuple(bundle.text_codec.encode(ANSWER)) if self._traces else ()
        self._stop = frozenset(bundle.config.llm.stop_ids)
        self._half = ReceiverHalf(model.llm, self.split_layer, self.device)
        self._decoders = model.codec.decoders.to(self.device)
        self._erasure_D = model.codec.erasure_D.to(self.device, self._dtype)
        self._instructions: dict[str, tuple[Tensor, LayerCache]] = {}

    @torch.inference_mode()
    def channel_decode(self, symbols: np.ndarray, noise_variance: np.ndarray, stream: Stream) -> Tensor:
        """Equalised symbols [n, U] to token vectors [n, D].

        `noise_variance`, [n] or [n, U], is that of a channel use (N0 after equalisation, N0/2 per real
        dimension), at unit average transmit power; SNR is average received Es/N0 per channel use.
        """
        if symbols.ndim != 2 or symbols.shape[1] != self.uses_per_token:
            raise ValueError(f"symbols: expected [tokens, {self.uses_per_token}], got {list(symbols.shape)}")
        reals = from_symbols(symbols).to(self.device)
        if self.codec == "bypass":
            return reals
        decoder = self._decoders[stream]
        assert isinstance(decoder, ChannelDecoder)
        variance = torch.from_numpy(np.asarray(noise_variance, np.float32)).to(self.device)
        decoded: Tensor = decoder(reals, variance)
        return decoded

    @torch.inference_mode()
    def answer(self, request: AnswerRequest) -> Answer:
        """Greedy and deterministic. Raises ValueError, one line, for a request that does not fit together."""
        if request.question_at == "ue":
            if request.text is None:
                raise ValueError("text: a question asked at the UE needs its text")
            return self.answer_each(request, [request.text])[0]
        layout, wanted = self._form(request)
        length = 0 if request.text_tokens is None else len(request.text_tokens)
        if length > self.prompts.text_limit:
            raise ValueError(f"text: {length} tokens, at most {self.prompts.text_limit} are accepted")
        text_at = layout.text(length)
        text_tokens, text_places = self._sent("text", request.text_tokens, request.text_state, text_at)
        prefix_1TD, places = self._prefix(request, layout)
        return self._say(
            request,
            torch.cat([prefix_1TD, text_tokens[None]], 1),
            [*places, *text_places],
            join_caches([self._instruction(request.task, layout)[1]], reserve=wanted),
            text_at.stop,
            wanted,
        )

    @torch.inference_mode()
    def answer_each(self, request: AnswerRequest, questions: Sequence[str]) -> list[Answer]:
        """An answer to each question that is asked here about what `request` holds.

        Image and instruction are read once, and no question sees another. Greedy and deterministic: an answer
        does not depend on what else is asked. Raises ValueError, one line, as `answer` does.
        """
        layout, wanted = self._form(request)
        ids = [self.prompts.text_ids(question) for question in questions]
        prefix_1TD, places = self._prefix(request, layout)
        fixed = self._instruction(request.task, layout)[1]
        # The prefix' last token is left for each question's own turn: a question may be empty.
        seen = LayerCache()
        self._half.read(prefix_1TD[:, :-1], places[:-1], seen)
        answers = []
        for own in ids:
            text_at = layout.text(len(own))
            known = join_caches([fixed], reserve=len(own) + wanted)
            prompt = prefix_1TD[:, -1:]
            if own:
                words = self._half.text(
                    self._half.embed_ids(own), text_at.start, known, 1 + len(layout.instruction_ids)
                )
                prompt = torch.cat([prompt, words], 1)
            above = join_caches([seen], reserve=prompt.shape[1] + wanted)
            answers.append(
                self._say(request, prompt, [*places[-1:], *text_at], known, text_at.stop, wanted, above)
            )
        return answers

    def _form(self, request: AnswerRequest) -> tuple[Layout, int]:
        """Where the segments of a prompt lie, and how long its answer may be. Raises ValueError."""
        layout = self.prompts.layout(request.task)
        limit = self.prompts.max_new_tokens(request.task)
        wanted = limit if request.max_new_tokens is None else request.max_new_tokens
        if wanted < 1:
            raise ValueError(f"max_new_tokens: expected at least 1, got {wanted}")
        return layout, wanted

    def _prefix(self, request: AnswerRequest, layout: Layout) -> tuple[Tensor, list[int]]:
        """BOS, image and instruction at the split, [1, T, D], with their position ids."""
        fixed_1TD, _ = self._instruction(request.task, layout)
        tokens, places = self._sent("image", request.image_tokens, request.image_state, layout.image)
        prefix_1TD = torch.cat([fixed_1TD[:, :1], tokens[None], fixed_1TD[:, 1:]], 1)
        return prefix_1TD, [0, *places, *layout.instruction]

    def _say(
        self,
        request: AnswerRequest,
        prompt_1TD: Tensor,
        places: Sequence[int],
        known: LayerCache,
        next_place: int,
        wanted: int,
        above: LayerCache | None = None,
    ) -> Answer:
        """The words that follow a prompt, the trace apart."""
        reasons = self._traces and request.task != "text_classification"
        begin = () if request.trace or not reasons else self._answer_sign
        ids = self._half.generate(
            prompt_1TD, places, known, next_place, wanted, self._stop, begin=begin, above=above
        )
        text = self._text_codec.decode(ids)
        if not reasons:
            return Answer(text, ids)
        trace, answer = split_trace(text)
        return Answer(answer, ids, trace)

    def _sent(
        self, name: str, tokens: Tensor | None, states: Sequence[State], places: range
    ) -> tuple[Tensor, list[int]]:
        """Tokens that take part, with their position ids; the rule for lost and unselected ones."""
        if tokens is None:
            return torch.zeros(0, self.width, dtype=self._dtype, device=self.device), []
        if tokens.shape != (len(places), self.width) or len(states) != len(places):
            raise ValueError(
                f"{name}: expected {len(places)} tokens of width {self.width} and as many states, "
                f"got {list(tokens.shape)} and {len(states)}"
            )
        tokens = tokens.to(self.device, self._dtype)
        erased = torch.tensor([state == "erased" for state in states], dtype=torch.bool, device=self.device)
        tokens = torch.where(erased[:, None], self._erasure_D, tokens)
        kept = [row for row, state in enumerate(states) if state != "unselected"]
        return tokens[kept], [places[row] for row in kept]

    def _instruction(self, task: str, layout: Layout) -> tuple[Tensor, LayerCache]:
        if task not in self._instructions:
            self._instructions[task] = self._half.instruction(
                layout.instruction_ids, layout.instruction.start
            )
        return self._instructions[task]
