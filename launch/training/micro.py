"""Train the `micro` bundle from nothing: `python -m launch.training.micro --data DIR --imdb FILE --out DIR`.

Phase 0 stands in for pre-trained weights: the tokenizer, the vision tower and the language model, the last
two at the same time on one core each until the language model is done. Then phase 1 (KAN alignment), 2
(multi-task tuning) and 3 (joint training through the channel). Every phase has its share of `--minutes`;
checkpoints every two minutes; with `--resume` a run that was killed continues.
"""

import argparse
import multiprocessing
from pathlib import Path

import torch

from launch.training.corpus import read_reviews, train_tokenizer
from launch.training.joint import train_joint
from launch.training.language import train_language
from launch.training.parallel import Team, run_team
from launch.training.vision import train_vision
from shared.semantic.config import MICRO
from shared.semantic.model import SemanticModel
from shared.semantic.tokenizer import TextCodec

#: Shares of the whole time. The vision tower starts together with the language model.
LANGUAGE_SHARE, VISION_SHARE = 0.39, 0.53
WORKERS = 2


def tokenizer_of(imdb: Path, out: Path) -> TextCodec:
    """Phase 0a, once."""
    path = out / "tokenizer.json"
    if not path.exists():
        codec = train_tokenizer(read_reviews(imdb), MICRO)
        partial = path.with_suffix(".tmp")
        codec.tokenizer.save(str(partial))
        partial.replace(path)
    return TextCodec.from_file(path)


def train(
    data: Path, imdb: Path, out: Path, minutes: float, bundle: Path | None = None, seed: int = 0
) -> None:
    """All phases. Everything already done in `out` is kept."""
    out.mkdir(parents=True, exist_ok=True)
    codec = tokenizer_of(imdb, out)
    reviews = read_reviews(imdb)
    language, vision = LANGUAGE_SHARE * minutes, VISION_SHARE * minutes
    # side by side, one core each, until the language model is done; then both cores for the vision tower
    context = multiprocessing.get_context("spawn")
    enough = context.Event()
    eyes = context.Process(
        target=train_vision, args=(Team(0, 1), MICRO, data, out, vision, seed, enough), daemon=True
    )
    eyes.start()
    torch.manual_seed(seed)
    train_language(SemanticModel(MICRO), codec, reviews, out, language, seed)
    enough.set()
    eyes.join()
    if eyes.exitcode != 0:
        raise SystemExit(f"vision pre-training stopped with exit code {eyes.exitcode}")
    run_team(train_vision, WORKERS, MICRO, data, out, vision, seed)
    joint = (1.0 - VISION_SHARE) * minutes
    train_joint(MICRO, codec, data, reviews, out, joint, bundle, seed, WORKERS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of a rendered CLEVR-style data set")
    parser.add_argument("--imdb", type=Path, required=True, help="reviews, .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="checkpoints, log and tokenizer")
    parser.add_argument("--bundle", type=Path, help="where to write the finished bundle")
    parser.add_argument("--minutes", type=float, default=62.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    args = parser.parse_args()
    if not args.resume and (args.out / "language.pt").exists():
        parser.error(f"{args.out} holds a run: give --resume or another --out")
    train(args.data, args.imdb, args.out, args.minutes, args.bundle, args.seed)


if __name__ == "__main__":
    main()
