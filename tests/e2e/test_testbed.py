"""The real roles in real processes: a run that ends valid, and a testbed that stays up."""

import json
import os
import signal
import time
from pathlib import Path

import pytest
from PIL import Image

from shared.journal import read_journal
from shared.ledger_files import read_csv
from tests.e2e.helpers import COMPLETE, Workplace, wait_until

RUN = """
name: small
seed: 3
users: 2
control: none
workload: {source: requests_file, root: requests.jsonl, requests: 8, tasks: [vqa]}
"""
pytestmark = pytest.mark.timeout(240)


def picture(path: Path, colour: str) -> Path:
    Image.new("RGB", (144, 96), colour).save(path)
    return path


def prepare(place: Workplace) -> None:
    for colour in ("red", "blue"):
        picture(place.folder / f"{colour}.png", colour)
    files = ("red.png", "blue.png")
    lines = [
        {"text": f"what color is cube {n}?", "image": files[n % 2], "user": n % 2, "expected": "red"}
        for n in range(8)
    ]
    place.write("requests.jsonl", "\n".join(json.dumps(line) for line in lines) + "\n")
    place.write("run.yaml", RUN)


def test_a_run_ends_valid_with_every_file_and_leaves_nothing(real: Workplace) -> None:
    prepare(real)
    done = real.run("run", "run.yaml", "--out", "out", "--json", timeout_s=200.0)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)  # nothing else is on standard output
    out = real.folder / "out"
    assert [name for name in COMPLETE if not (out / name).exists()] == []
    assert summary["verdict"] == "valid"
    assert [r["role"] for r in summary["roles"]] == ["ce", "bs", "ue", "ue"]
    assert [r["user"] for r in summary["roles"]] == [-1, -1, 0, 1]
    assert len({r["pid"] for r in summary["roles"]}) == 4
    assert {r["exit_code"] for r in summary["roles"]} == {0}
    counts = summary["requests"]
    assert (counts["attempted"], counts["lost"], counts["duplicated"], counts["misdelivered"]) == (8, 0, 0, 0)
    assert summary["launch"]["counters_equal"]
    assert "torch" not in (out / "logs" / "ce.log").read_text()
    assert real.processes() == []
    check_ledger_against_kernel(out, users=2)


def test_questions_asked_at_the_ue_never_leave_it_and_curve_is_counted_to_the_byte(real: Workplace) -> None:
    prepare(real)
    wanted = ("--set", "question_at=ue", "--set", "control=image_erased", "--set", "security.curve=true")
    done = real.run("run", "run.yaml", *wanted, "--out", "out", "--json", timeout_s=200.0)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["verdict"] == "valid"
    assert (summary["requests"]["attempted"], summary["requests"]["answered"]) == (2, 2)
    assert summary["questions"] == {"asked_at": "ue", "deliveries": 2, "questions": 8}
    vqa = summary["accuracy"]["vqa"]
    assert (vqa["total"], vqa["control"]["total"]) == (8, 8)
    assert "what color" not in (real.folder / "out" / "journal.jsonl").read_text()
    assert (summary["connections_compared"], summary["drops"]) == (6, [])
    check_ledger_against_kernel(real.folder / "out", users=2)


def check_ledger_against_kernel(out: Path, users: int) -> None:
    """Wire bytes in the ledger = bytes_sent - bytes_retrans of TCP_INFO, to the byte, at both ends."""
    rows = read_csv(out / "ledger.csv")
    kernel = [e for e in read_journal(out / "journal.jsonl").events if e["event"] == "kernel"]
    assert len(kernel) == 2 * (users + 1), "both ends of every data connection"
    for event in kernel:
        end = f"ue-{event['user']}" if event["role"] == "ue" else event["role"]
        peer = event["link"].split()[1]
        hop = "bs-ce" if "bs" in event["link"] else "ce-ue"
        booked = sum(
            row.values.wire_bytes
            for row in rows
            if (row.key.hop, row.key.end, row.key.outcome) == (hop, end, "offered")
            and (not peer.startswith("ue:") or row.key.users == peer.removeprefix("ue:"))
        )
        assert booked == event["bytes_sent"] - event["bytes_retrans"], event["link"]


def test_up_ask_kill_ask_status_down(real: Workplace) -> None:
    prepare(real)
    up = real.run("up", "run.yaml", "--out", "out", "--no-dashboard", timeout_s=150.0)
    assert up.returncode == 0, up.stderr
    assert (real.folder / "state" / "up.json").stat().st_mode & 0o777 == 0o600
    second = real.run("up", "run.yaml")
    assert second.returncode == 2
    assert second.stderr.strip().splitlines() == [
        "m4sc: a testbed is up already (see `m4sc status`; end it with `m4sc down`)"
    ]

    ask = ("ask", "--image", "red.png", "--user", "1", "what color is the large cube?")
    first = real.run(*ask)
    assert first.returncode == 0, first.stderr
    assert first.stdout.strip()

    assert {role.nice() for role in real.roles()} == {os.nice(0)}
    before = _status(real)
    killed = next(role for role in before["roles"] if role["user"] == 1)
    os.kill(killed["pid"], signal.SIGKILL)
    wait_until(lambda: _incarnation(real, 1) == 1, 60.0, "the UE is back")
    again = real.run(*ask)
    assert again.returncode == 0, again.stderr
    assert again.stdout.strip()

    for arguments, said in (
        (("--image", "missing.png", "why?"), "missing.png: cannot be read"),
        (("--image", "run.yaml", "why?"), "run.yaml: image: not a PNG"),
        (("--image", "red.png", "--task", "juggle", "why?"), "task juggle: expected one of"),
        (("--image", "red.png", "x" * 5_000), "text: 5000 characters, at most 4096"),
        (("--image", "red.png", "--user", "9", "why?"), "user 9: expected 0 to 1"),
    ):
        bad = real.run("ask", *arguments)
        assert (bad.returncode, len(bad.stderr.strip().splitlines())) == (2, 1), bad.stderr
        assert said in bad.stderr

    kept = real.run("chaos", "inject", "{fault: partition, on: {users: [1]}}")
    assert (kept.returncode, kept.stdout.strip()) == (0, "partition.0"), kept.stderr
    stranger = real.run("chaos", "inject", "{fault: partition, on: {users: [2]}}")
    assert (stranger.returncode, len(stranger.stderr.strip().splitlines())) == (2, 1)
    assert "the fault: channel.faults.0.users: there is no user 2 among 2" in stranger.stderr
    healed = real.run("chaos", "heal", "--json")
    assert json.loads(healed.stdout) == {"ended": 1}
    assert real.run(*ask).stdout.strip()

    down = real.run("down")
    assert down.returncode == 0, down.stderr
    assert "3 of 3 requests answered" in down.stdout
    assert real.processes() == []
    out = real.folder / "out"
    assert [name for name in COMPLETE if not (out / name).exists()] == []
    journal = (out / "journal.jsonl").read_text()
    assert '"what":"crashed"' in journal
    assert '"what":"restarted"' in journal
    faults = [e for e in read_journal(out / "journal.jsonl").events if e["event"] == "fault"]
    assert [event["what"] for event in faults] == ["inject", "begin", "end", "heal"]
    assert not (real.folder / "state" / "up.json").exists()


def _status(place: Workplace) -> dict[str, list[dict[str, int]]]:
    found: dict[str, list[dict[str, int]]] = json.loads(place.run("status", "--json").stdout)
    return found


def _incarnation(place: Workplace, user: int) -> int:
    time.sleep(0.5)
    return next(role["incarnation"] for role in _status(place)["roles"] if role["user"] == user)
