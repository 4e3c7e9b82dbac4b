"""Every door survives what it did not survive once, and so many inputs near to sound ones."""

import time
from pathlib import Path

import pytest

from tests.fuzz import catalogue
from tests.fuzz.catalogue import CORPUS
from tests.fuzz.mutate import mutations
from tests.fuzz.run import INPUT_TIMEOUT_S, MAX_INPUT_BYTES
from tests.fuzz.shrink import shrink

SEED, INPUTS = 1, 400
_REGRESSIONS = [(name, path) for name in catalogue.names() for path in catalogue.load(name).regressions()]


def survives(target: catalogue.Target, data: bytes) -> None:
    began_s = time.monotonic()
    try:
        target.one_input(data)
    except Exception as error:
        error.add_note(f"{target.name} did not survive {data!r}")
        raise
    assert time.monotonic() - began_s < INPUT_TIMEOUT_S, f"{target.name} took too long for {data!r}"


@pytest.mark.parametrize(("name", "path"), _REGRESSIONS, ids=[f"{n}-{p.name}" for n, p in _REGRESSIONS])
def test_a_finding_is_none_any_more(name: str, path: Path) -> None:
    survives(catalogue.load(name), path.read_bytes())


@pytest.mark.parametrize("name", catalogue.names())
def test_inputs_near_to_sound_ones(name: str) -> None:
    target = catalogue.load(name)
    starts = [b"", *target.seeds, *(path.read_bytes() for path in target.regressions())]
    for data in starts:
        survives(target, data)
    for data in mutations(starts, target.tokens, SEED, INPUTS):
        survives(target, data)


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]
    assert {path.parent for path in files} <= {CORPUS / name for name in catalogue.names()}
    assert max(path.stat().st_size for path in files) <= MAX_INPUT_BYTES
    assert sum(path.stat().st_size for path in files) <= 2**17


def test_the_same_seed_gives_the_same_inputs() -> None:
    starts, tokens = [b"abc", b"defgh"], [b"<>"]
    first, again, other = (list(mutations(starts, tokens, seed, 50)) for seed in (3, 3, 4))
    assert first == again != other
    assert len(set(first)) > 25


def test_a_crash_is_cut_down_to_what_makes_it() -> None:
    def one_input(data: bytes) -> None:
        if b"x" in data:
            raise KeyError("no longer this one")
        if b"no" in data and data.endswith(b"!"):
            raise ValueError

    assert shrink(one_input, b"a long way to say no to it, with words!") == b"no!"
    assert shrink(one_input, b"sound") == b"sound"
