"""One seed, one workload file: roles in memory and in processes give the same answers and the same bytes.

Compared are every first transmission that the base station and the UEs originate and the emulator relays.
Session messages (heartbeats, hellos) depend on the clock and are left out.
"""

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from basestation.pipeline import GroupPipeline
from basestation.process import warm_up
from basestation.workload_file import read_workload
from shared.accounting import portions
from shared.config_file import load_config
from shared.journal import read_journal
from shared.ledger_files import read_csv
from shared.routing import end_name
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.starting import load_bundle
from shared.wire.codec import encode
from tests.e2e.helpers import Workplace
from tests.e2e.test_testbed import picture
from tests.simulation.world import World
from userequipment.pipeline import RequestPipeline

SEED = random.Random(2026).randrange(1_000)
CLASSES = ("public", "private", "side", "pilots", "control", "feedback")
RUN = f"""
name: agreement
seed: {SEED}
users: 3
max_group: 3
device: cpu
channel: {{model: rayleigh, snr_db: [3.0, 10.0, 17.0]}}
retransmission: {{nack_after_ms: 2000, feedback_timeout_ms: 20000}}
workload: {{source: requests_file, root: requests.jsonl, requests: 12, tasks: [vqa]}}
"""
Book = dict[tuple[str, str, str], tuple[int, ...]]


@pytest.fixture
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.timeout(240)
def test_the_same_answers_and_the_same_first_transmissions(real: Workplace, one_thread: None) -> None:
    print(f"seed {SEED}")
    for colour in ("red", "blue", "green"):
        picture(real.folder / f"{colour}.png", colour)
    files = ("red.png", "red.png", "blue.png", "green.png")
    lines = [
        {"text": f"how many large things are there, {n}?", "image": files[n % 4], "user": n % 3}
        for n in range(12)
    ]
    real.write("requests.jsonl", "\n".join(json.dumps(line) for line in lines) + "\n")
    real.write("run.yaml", RUN)
    done = real.run("run", "run.yaml", "--out", "out", "--json", timeout_s=200.0)
    assert done.returncode == 0, done.stderr
    out = real.folder / "out"

    world = in_memory(out)
    world.run_workload()
    world.run(5.0)
    ends = ("ok", "degraded", "fail", "expired", "refused")
    spoken = {
        e["request_id"]: (e["event"], e.get("text"), e.get("digest"))
        for e in read_journal(out / "journal.jsonl").events
        if e["event"] in ends and e["role"] == "bs"
    }
    assert spoken == {
        e["request_id"]: (e["event"], e.get("text"), e.get("digest")) for e in world.events(*ends)
    }
    assert len(spoken) == 12
    assert book_of_processes(out) == book_of_memory(world)


def in_memory(run_dir: Path) -> World:
    config = load_config(run_dir / "config.yaml")
    workload = read_workload(run_dir / "workload.jsonl")
    bundle = load_bundle(config.bundle, "all")
    pipeline = GroupPipeline(config, SemanticSender(bundle, config.split_layer))
    warm_up(pipeline)
    images = {w.image: Path(run_dir, w.image).read_bytes() for w in workload if w.image is not None}
    return World(
        config,
        workload,
        images=images,
        sender=pipeline,
        receiver=RequestPipeline(config, SemanticReceiver(bundle, config.split_layer)),
    )


def book_of_processes(run_dir: Path) -> Book:
    """(end, users, class) -> frames, payload, header, wire bytes and channel uses of first attempts."""
    book: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for row in read_csv(run_dir / "ledger.csv"):
        key, v = row.key, row.values
        if key.outcome == "offered" and key.purpose == "first" and key.klass in CLASSES:
            amounts = (v.frames, v.payload_bytes, v.header_bytes, v.wire_bytes, v.channel_uses)
            _add(book, (key.end, key.users, key.klass), amounts)
    return {key: tuple(amounts) for key, amounts in book.items()}


def book_of_memory(world: World) -> Book:
    book: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 5)
    for _, node, message in world.sent:
        header, *payload = (bytes(part) for part in encode(message))
        for p in portions(message, len(header), len(payload[0]) if payload else 0):
            if p.purpose == "first" and p.klass in CLASSES:
                amounts = (p.frames, p.payload_bytes, p.header_bytes, p.wire_bytes, p.uses)
                _add(book, (end_name(node), p.users, p.klass), amounts)
    return {key: tuple(amounts) for key, amounts in book.items()}


def _add(
    book: dict[tuple[str, str, str], list[int]], key: tuple[str, str, str], amounts: tuple[int, ...]
) -> None:
    book[key] = [a + b for a, b in zip(book[key], amounts, strict=True)]
