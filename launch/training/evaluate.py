"""Measure a bundle in memory, through sender, AWGN and receiver as the testbed runs them.

SNR is average received Es/N0 per channel use; unit average transmit power; E|h|^2 = 1; N0 = 10^(-SNR/10),
N0/2 per real dimension. Images go by the public stream, texts by the private one. Intervals are 95%, by
bootstrap over images (over reviews for the reviews).
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from launch.datasets.clevr_style.balance import balanced_questions
from launch.datasets.clevr_style.build import iter_ready
from launch.datasets.clevr_style.captions import caption
from launch.datasets.clevr_style.questions import Question
from launch.training.corpus import read_reviews
from launch.training.packing import LABELS
from shared.rng import generator
from shared.semantic.bundle import Bundle
from shared.semantic.codec import Stream
from shared.semantic.masks import QuestionAt
from shared.semantic.receiver import AnswerRequest, SemanticReceiver
from shared.semantic.sender import SemanticSender, SenderRequest

GROUPS = ("exist", "count", "query")
Control = Literal["none", "erased", "other"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One answered item: the image (or review) it belongs to, its kind, and whether it was right."""

    image: int
    kind: str
    right: float


class Link:
    """A sender, a receiver, and the air between them."""

    def __init__(self, bundle: Bundle, split_layer: int | None = None) -> None:
        self.sender = SemanticSender(bundle, split_layer)
        self.receiver = SemanticReceiver(bundle, split_layer)

    def cross(self, tokens: Tensor, stream: Stream, snr_db: float, *names: int | str) -> Tensor:
        """Tokens after AWGN; the same names give the same noise."""
        if not len(tokens):
            return tokens
        symbols = self.sender.channel_encode(tokens, stream)
        n0 = 10.0 ** (-snr_db / 10.0)
        rng = generator("evaluate", *names)
        noise = rng.standard_normal((*symbols.shape, 2)) * (n0 / 2) ** 0.5
        heard = (symbols + noise[..., 0] + 1j * noise[..., 1]).astype(np.complex64)
        return self.receiver.channel_decode(heard, np.full(len(symbols), n0, np.float32), stream)

    def ask(
        self,
        task: str,
        image: Tensor | None,
        text: Tensor,
        erase: bool,
        at: QuestionAt = "bs",
        said: str = "",
    ) -> str:
        state: Literal["erased", "received"] = "erased" if erase else "received"
        at_bs = at == "bs"
        return self.receiver.answer(
            AnswerRequest(
                task,
                image,
                [state] * (0 if image is None else len(image)),
                text if at_bs else None,
                ["received"] * len(text) if at_bs else [],
                at,
                None if at_bs else said,
            )
        ).text


def interval(
    outcomes: Sequence[Outcome], figure: Callable[[np.ndarray], np.ndarray], draws: int = 1_000
) -> list[float]:
    """95% by bootstrap: images are drawn again; `figure` maps weights [draws, images] to values [draws]."""
    images = len({o.image for o in outcomes})
    rng = generator("bootstrap", images)
    weights = rng.multinomial(images, [1 / images] * images, size=draws)
    return np.quantile(figure(weights), [0.025, 0.975]).round(4).tolist()


def summarise(outcomes: Sequence[Outcome], groups: Sequence[str] = ()) -> dict[str, object]:
    """Accuracy by group and their macro average, with n and interval each."""
    place = {image: i for i, image in enumerate(dict.fromkeys(o.image for o in outcomes))}

    def of(kinds: Sequence[str]) -> Callable[[np.ndarray], np.ndarray]:
        right, total = np.zeros((2, len(kinds), len(place)))
        for outcome in outcomes:
            if outcome.kind in kinds:
                right[kinds.index(outcome.kind), place[outcome.image]] += outcome.right
                total[kinds.index(outcome.kind), place[outcome.image]] += 1
        return lambda weights: np.mean((weights @ right.T) / np.maximum(weights @ total.T, 1), 1)

    whole = np.ones((1, len(place)))
    names: dict[str, Sequence[str]] = {g: [g] for g in groups}
    names["macro" if groups else "accuracy"] = list(groups) or [outcomes[0].kind]
    return {
        "n": len(outcomes),
        "images": len(place),
        **{
            name: {"value": round(float(of(kinds)(whole)[0]), 4), "interval": interval(outcomes, of(kinds))}
            for name, kinds in names.items()
        },
    }


class Pictures:
    """Held-out pictures with balanced questions, their tokens at the split computed once."""

    def __init__(self, link: Link, root: Path, limit: int, per_scene: int, seed: int) -> None:
        ready = sorted(iter_ready(root), key=lambda entry: entry[0]["image_index"])[:limit]
        self.scenes = [scene for scene, _ in ready]
        self.questions = balanced_questions(self.scenes, seed, per_scene)
        self.index = {scene["image_filename"]: i for i, scene in enumerate(self.scenes)}
        self.pixels = []
        for _, path in ready:
            with Image.open(path) as image:
                self.pixels.append(np.asarray(image.convert("RGB")))
        self.link = link
        self.tokens = torch.cat(
            [link.sender.encode_images(self.pixels[i : i + 16]) for i in range(0, len(self.pixels), 16)]
        )

    def vqa(
        self, snr_db: float, control: Control = "none", at: QuestionAt = "bs", limit: int | None = None
    ) -> list[Outcome]:
        """Ask; `other` shows the receiver the image tokens of the next picture."""
        outcomes = []
        asked: dict[int, list[Question]] = {}
        for question in self.questions[:limit]:
            asked.setdefault(self.index[question.image_filename], []).append(question)
        for place, questions in asked.items():
            shown = (place + 1) % len(self.scenes) if control == "other" else place
            image = self.link.cross(self.tokens[shown], "public", snr_db, "image", shown)
            requests = [SenderRequest("vqa", q.question, 0) for q in questions]
            texts = self.link.sender.encode_requests(requests, [self.pixels[shown]]).text_tokens
            for number, (question, text) in enumerate(zip(questions, texts, strict=True)):
                heard = self.link.cross(text, "private", snr_db, "text", place, number)
                answer = self.link.ask("vqa", image, heard, control == "erased", at, question.question)
                kind = question.kind if question.kind in GROUPS else "query"
                outcomes.append(Outcome(place, kind, float(answer == question.answer)))
        return outcomes

    def captions(self, snr_db: float, limit: int) -> list[Outcome]:
        """F1 of the objects named, each by size, colour, material and shape; order is not judged."""
        outcomes = []
        for place, scene in enumerate(self.scenes[:limit]):
            image = self.link.cross(self.tokens[place], "public", snr_db, "image", place)
            said = phrases(self.link.ask("caption", image, torch.zeros(0, image.shape[1]), False))
            meant = phrases(caption(scene))
            hits = sum((said & meant).values())
            outcomes.append(Outcome(place, "caption", 2 * hits / (said.total() + meant.total())))
        return outcomes


def phrases(text: str) -> Counter[str]:
    """The objects of a caption: 'a small red metal cube, ... and ...'."""
    parts = text.rstrip(".").replace(" and ", ", ").split(", ")
    return Counter(part.removeprefix("an ").removeprefix("a ") for part in parts if part)


def judge_reviews(link: Link, path: Path, snr_db: float, limit: int) -> list[Outcome]:
    """Sentiment of reviews, cut to what the bundle accepts."""
    reviews = read_reviews(path)
    chosen = generator("reviews").permutation(len(reviews))[:limit]
    outcomes = []
    for place in chosen.tolist():
        text = link.sender.prompts.fit(reviews[place].text)
        tokens = link.sender.encode_text("text_classification", text)
        heard = link.cross(tokens, "private", snr_db, "review", place)
        answer = link.ask("text_classification", None, heard, False)
        outcomes.append(Outcome(place, "review", float(answer == LABELS[reviews[place].label])))
    return outcomes


def evaluate(
    bundle: Bundle,
    data: Path,
    imdb: Path | None,
    images: int = 300,
    per_scene: int = 10,
    snr_db: float = 10.0,
) -> dict[str, object]:
    """All figures of the model card."""
    link, start = Link(bundle), time.monotonic()
    pictures = Pictures(link, data, images, per_scene, seed=1)
    part = max(1, len(pictures.questions) // 3)
    report: dict[str, object] = {
        "fingerprint": bundle.fingerprint,
        "data": data.name,
        "snr_db": snr_db,
        "split_layer": link.sender.split_layer,
        "vqa": summarise(pictures.vqa(snr_db), GROUPS),
        "vqa, all image tokens erased": summarise(pictures.vqa(snr_db, "erased"), GROUPS),
        "vqa, another image": summarise(pictures.vqa(snr_db, "other", limit=part), GROUPS),
        "vqa, question at the UE": summarise(pictures.vqa(snr_db, at="ue", limit=part), GROUPS),
        **{
            f"vqa at {other:g} dB": summarise(pictures.vqa(other, limit=part), GROUPS)
            for other in (-5.0, 0.0, 5.0, 20.0)
        },
        "caption, F1 of objects": summarise(pictures.captions(snr_db, 100)),
    }
    if imdb is not None:
        report["reviews"] = summarise(judge_reviews(link, imdb, snr_db, 1_000))
    return {**report, "seconds": round(time.monotonic() - start, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="rendered pictures not used for training")
    parser.add_argument("--imdb", type=Path, help="reviews not used for training")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument("--out", type=Path, required=True, help="where to write the report, JSON")
    args = parser.parse_args()
    torch.set_num_threads(1)
    report = evaluate(Bundle.load(args.bundle), args.data, args.imdb, args.images)
    args.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
