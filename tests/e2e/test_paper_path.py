"""The paper preset's path at a tiny size: made, run by real processes in bfloat16, every use accounted."""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from launch.bundles.create import Place, create_random
from shared.semantic.config import PAPER, KanSizes, SemanticConfig, VisionSizes
from tests.e2e.helpers import ROOT, Workplace

REQUESTS: tuple[dict[str, Any], ...] = (
    {"task": "vqa", "text": "what color is the ball?", "image": "scene.png", "expected": "red"},
    {"task": "caption", "image": "scene.png"},
    {"task": "text_classification", "text": "a quiet film.", "expected": "positive"},
)


def shrunken() -> SemanticConfig:
    """The paper's configuration with other sizes, and the same 256 channel uses a token."""
    llm = {
        "vocab": 8_192,
        "hidden": 48,
        "intermediate": 96,
        "layers": 4,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": 16,
    }
    return PAPER.model_copy(
        update={
            "vision": VisionSizes(
                image_size=64, patch_size=16, hidden=32, intermediate=64, layers=2, heads=2
            ),
            "kan": KanSizes(widths=(32, 48, 48)),
            "llm": PAPER.llm.model_copy(update=llm),
        }
    )


def test_a_small_paper_bundle_runs_end_to_end(real: Workplace, tmp_path: Path) -> None:
    bundle = create_random(
        shrunken(), 0, Place(tmp_path / "bundle", shard_bytes=200_000), progress=lambda _: None
    )
    assert len(bundle.manifest.weights) > 1
    Image.new("RGB", (24, 16), (200, 30, 30)).save(tmp_path / "scene.png")
    real.write("requests.jsonl", "".join(json.dumps(request) + "\n" for request in REQUESTS))
    done = real.run(
        "run",
        str(ROOT / "launch" / "configs" / "paper.yaml"),
        *("--set", f"bundle={bundle.path}"),
        *("--set", "workload.source=requests_file"),
        *("--set", "workload.root=requests.jsonl"),
        *("--set", "sharing.enabled=false"),  # tokens of one colour are alike, and would be merged
        *("--out", "run", "--json"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["verdict"] == "valid"
    assert summary["fingerprint"] == bundle.fingerprint
    assert summary["requests"]["answered"] == 3
    texts = sum(len(bundle.text_codec.encode(request.get("text", ""))) for request in REQUESTS)
    assert summary["tokens"]["private_tokens"] == 2 * 16 + texts
    rows = (tmp_path / "run" / "ledger.csv").read_text().splitlines()
    header = rows[0].split(",")
    sent = [dict(zip(header, row.split(","), strict=True)) for row in rows[1:]]
    (private,) = (r for r in sent if (r["end"], r["klass"], r["outcome"]) == ("bs", "private", "offered"))
    assert int(private["channel_uses"]) == 256 * (2 * 16 + texts)
