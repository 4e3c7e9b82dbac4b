"""A UE's decoding of answers, beside `transformers`' `generate` on the same weights and prompts.

`generate` cannot be told that tokens below the split see only a part of the prompt. So figure and reference
run the whole model on the whole prompt (split layer 0), where both must say the same, token by token; the
same prompts at the bundle's own split, where a UE decodes, are a line of their own. Pictures are drawn: what
is seen does not change what a token costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from launch.bench.line import Line, Target
from launch.bench.order import Order
from launch.bench.pictures import draw_pictures
from launch.bench.timing import interleaved, rate_line
from shared.semantic.bundle import Bundle
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.shipped import bundle_folder

QUESTIONS = (
    "how many large metal cubes are there ?",
    "what color is the small sphere ?",
    "is there a red cylinder ?",
    "what shape is the large rubber thing ?",
)
REFERENCE = "generate of transformers"
TRIPLE = Target("ratio", 3.0, "at least")
UNIT = "tokens/s"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Captions of so many pictures one after the other; questions about one picture that come together."""

    pictures: int = 4
    tokens: int = 64
    together: int = 16
    least_s: float = 0.02


def bench(order: Order, sizes: Sizes = Sizes()) -> list[Line]:
    """Tokens a second, the reading of the prompts included."""
    bundle = Bundle.load(bundle_folder("micro"))
    whole, split = Decoder(bundle, 0), Decoder(bundle, bundle.config.split_layer)
    pictures = draw_pictures(sizes.pictures, order.seed)
    captions = [whole.request(picture, "caption", "", sizes.tokens) for picture in pictures]
    at_split = [split.request(picture, "caption", "", sizes.tokens) for picture in pictures]
    questions = [QUESTIONS[i % len(QUESTIONS)] for i in range(sizes.together)]
    asked = whole.request(pictures[0], "vqa", questions[0], sizes.tokens)
    llm = bundle.model("all").llm

    def one_by_one() -> list[list[int]]:
        return [whole.receiver.answer(request).token_ids for request in captions]

    def at_own_split() -> list[list[int]]:
        return [split.receiver.answer(request).token_ids for request in at_split]

    def generated() -> list[list[int]]:
        return [ids for r in captions for ids in generate(llm, [whole.prompt(r, "")], bundle, sizes.tokens)]

    def together() -> list[list[int]]:
        return [answer.token_ids for answer in whole.receiver.answer_each(asked, questions)]

    def generated_together() -> list[list[int]]:
        return generate(llm, [whole.prompt(asked, question) for question in questions], bundle, sizes.tokens)

    works = (one_by_one, at_own_split, generated, together, generated_together)
    said = {work.__name__: work() for work in works}
    seconds = interleaved({work.__name__: work for work in works}, order.rounds, least_s=sizes.least_s)
    amounts = {name: sum(map(len, answers)) for name, answers in said.items()}

    def line(name: str, figure: str, own: str, its: str, target: Target | None, note: str) -> Line:
        return rate_line(
            name,
            figure,
            UNIT,
            amounts[own],
            seconds[own],
            REFERENCE,
            seconds[its],
            amounts[its],
            target,
            note,
        )

    return [
        line(
            "decode.one",
            f"decoding, {sizes.pictures} captions one by one, whole prompt",
            "one_by_one",
            "generated",
            TRIPLE,
            compared(said["one_by_one"], said["generated"]),
        ),
        line(
            "decode.split",
            f"decoding, the same at the bundle's split layer {split.receiver.split_layer}",
            "at_own_split",
            "generated",
            None,
            "other masks, other tokens",
        ),
        line(
            "decode.together",
            f"decoding, {sizes.together} questions about one picture",
            "together",
            "generated_together",
            None,
            f"in one batch there; {compared(said['together'], said['generated_together'])}",
        ),
    ]


class Decoder:
    """Both halves at a split layer; images reach the receiver unchanged."""

    def __init__(self, bundle: Bundle, split_layer: int) -> None:
        self._sender = SemanticSender(bundle, split_layer)
        self.receiver = SemanticReceiver(bundle, split_layer)

    def request(self, picture: object, task: str, text: str, tokens: int) -> AnswerRequest:
        """A request with its text, of at most so many tokens of answer."""
        words_nD = self._sender.encode_text(task, text, picture)  # type: ignore[arg-type]
        image_ND = self._sender.encode_images([picture])[0]  # type: ignore[list-item]
        return AnswerRequest(
            task=task,
            image_tokens=image_ND,
            image_state=["received"] * len(image_ND),
            text_tokens=words_nD,
            text_state=["received"] * len(words_nD),
            max_new_tokens=tokens,
        )

    def prompt(self, request: AnswerRequest, text: str) -> list[int | Tensor]:
        """BOS, image, instruction and text, as ids and vectors [n, D]."""
        assert request.image_tokens is not None
        layout = self.receiver.prompts.layout(request.task)
        words = self.receiver.prompts.text_ids(text)
        return [2, request.image_tokens, *layout.instruction_ids, *words]


def generate(
    llm: object, prompts: Sequence[list[int | Tensor]], bundle: Bundle, tokens: int
) -> list[list[int]]:
    """Greedy answers of `transformers`, prompts padded on the left to one batch; ids up to the first stop."""
    stops = bundle.config.llm.stop_ids
    with torch.inference_mode():
        embed = llm.model.embed_tokens  # type: ignore[attr-defined]
        rows = [
            torch.cat([p if isinstance(p, Tensor) else embed(torch.tensor([p])) for p in prompt])
            for prompt in prompts
        ]
        longest = max(map(len, rows))
        padded_BTD = torch.stack([torch.cat([r.new_zeros(longest - len(r), r.shape[1]), r]) for r in rows])
        mask_BT = torch.tensor([[0] * (longest - len(r)) + [1] * len(r) for r in rows])
        out_BT = llm.generate(  # type: ignore[attr-defined]
            inputs_embeds=padded_BTD,
            attention_mask=mask_BT,
            max_new_tokens=tokens,
            do_sample=False,
            eos_token_id=list(stops),
            pad_token_id=bundle.config.llm.pad_id,
        )
    return [_until_stop(row, stops) for row in out_BT.tolist()]


def compared(own: Sequence[Sequence[int]], its: Sequence[Sequence[int]]) -> str:
    """What a reader must know of two sets of answers."""
    same = sum(list(a) == list(b) for a, b in zip(own, its, strict=True))
    return "same tokens" if same == len(own) else f"other tokens in {len(own) - same} of {len(own)} answers"


def _until_stop(ids: Sequence[int], stops: Sequence[int]) -> list[int]:
    return list(ids[: next((i for i, token in enumerate(ids) if token in stops), len(ids))])
