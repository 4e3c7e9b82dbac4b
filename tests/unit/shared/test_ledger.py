import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger import (
    ROW_BYTES,
    Counters,
    LedgerError,
    LedgerRow,
    RowKey,
    Values,
    flatten,
    merge,
    read_counters,
    unflatten,
)
from shared.ledger_files import read_csv, write_csv, write_parquet
from shared.ledger_rows import compact_users, parse_users, share_out

KEY = RowKey("bs-ce", "bs", "0-3", "down", "public", "first", "offered", "")


def key(n: int) -> RowKey:
    return KEY._replace(users=str(n))


@given(st.sets(st.integers(0, 65_535), max_size=40))
def test_users_as_text_and_back(users: set[int]) -> None:
    assert parse_users(compact_users(users)) == tuple(sorted(users))


def test_users_as_text() -> None:
    assert compact_users((0, 1, 2, 5)) == "0-2,5"
    assert compact_users(()) == ""
    for bad in ("1-", "-1", "a", "3-1", "1,1", "1,,2", "1-2-3"):
        with pytest.raises(LedgerError):
            parse_users(bad)


@given(st.integers(0, 10**9), st.integers(1, 50))
def test_shares_add_up(total: int, n: int) -> None:
    shares = share_out(total, n)
    assert (sum(shares), len(shares)) == (total, n)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


def test_adds_and_reads_back(tmp_path: Path) -> None:
    with Counters(tmp_path / "new" / "bs.0.bin") as counters:
        counters.add(KEY, 1, 10, 20, 30, 40, 0.5)
        counters.add(KEY, 1, 1, 1, 1, 1, 0.25)
        counters.add(key(7), wire_bytes=107)
        expected = [
            LedgerRow(KEY, Values(2, 11, 21, 31, 41, 0.75)),
            LedgerRow(key(7), Values(wire_bytes=107)),
        ]
        assert counters.rows() == expected
        assert read_counters(counters.path) == expected  # of a living process
    assert read_counters(counters.path) == expected


def test_grows(tmp_path: Path) -> None:
    with Counters(tmp_path / "c") as counters:
        for n in range(1_000):
            counters.add(key(n), frames=n)
        assert [row.values.frames for row in read_counters(tmp_path / "c")] == list(range(1_000))


def test_survives_sigkill(tmp_path: Path) -> None:
    program = (
        "import sys; from shared.ledger import Counters, RowKey\n"
        "c = Counters(sys.argv[1]); k = RowKey('a', 'b', '', 'down', 'public', 'first', 'offered', '')\n"
        "for n in range(100): c.add(k._replace(users=str(n % 10)), 1, n)\n"
        "print('counted', flush=True); sys.stdin.read()\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path / "c")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "counted\n"
        child.send_signal(signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    rows = read_counters(tmp_path / "c")
    assert len(rows) == 10
    assert sum(row.values.payload_bytes for row in rows) == sum(range(100))


def test_a_torn_last_row_is_no_row(tmp_path: Path) -> None:
    with Counters(tmp_path / "c") as counters:
        counters.add(key(0), 1)
        counters.add(key(1), 1)
    whole = (tmp_path / "c").read_bytes()
    second = 16 + ROW_BYTES
    for torn in (
        whole[:second] + b"\x00\x00" + whole[second + 2 :],  # its length was not written yet
        whole[: second + 9] + b"X" + whole[second + 10 :],  # a key that its checksum does not fit
        whole[: second + 40],
    ):
        (tmp_path / "c").write_bytes(torn)
        assert [row.key for row in read_counters(tmp_path / "c")] == [key(0)]


def test_what_is_no_counter_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="cannot be read"):
        read_counters(tmp_path / "none")
    (tmp_path / "c").write_bytes(b"something else entirely")
    with pytest.raises(LedgerError, match="expected a counter file"):
        read_counters(tmp_path / "c")
    (tmp_path / "c").write_bytes(b"")
    assert read_counters(tmp_path / "c") == []
    with pytest.raises(LedgerError, match="File exists"):
        Counters(tmp_path / "c")


def test_bad_keys(tmp_path: Path) -> None:
    with Counters(tmp_path / "c") as counters:
        with pytest.raises(LedgerError, match="at most 512 bytes"):
            counters.add(KEY._replace(reason="x" * 500))
        with pytest.raises(LedgerError, match="without"):
            counters.add(KEY._replace(reason="a|b"))
        counters.add(KEY._replace(reason="größer"))
    assert [row.key.reason for row in read_counters(tmp_path / "c")] == ["größer"]


def test_a_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    counters = Counters(tmp_path / "c")
    monkeypatch.setattr(os, "posix_fallocate", full)
    with counters:
        for n in range(64):
            counters.add(key(n))
        with pytest.raises(LedgerError, match="No space left"):
            counters.add(key(64))


def test_a_disk_that_is_full_for_a_while_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room is made before it is needed."""

    def full(fd: int, offset: int, length: int) -> None:
        raise OSError(28, "No space left on device")

    with Counters(tmp_path / "c") as counters:
        with monkeypatch.context() as patch:
            patch.setattr(os, "posix_fallocate", full)
            for n in range(60):
                counters.add(key(n), frames=n)
        for n in range(60, 200):
            counters.add(key(n), frames=n)
    assert [row.values.frames for row in read_counters(tmp_path / "c")] == list(range(200))


def test_merge_flatten_and_back() -> None:
    rows = [LedgerRow(key(1), Values(1, 2, 3, 4, 5, 0.1)), LedgerRow(key(0), Values(frames=1))]
    rows.append(rows[0])
    merged = merge(rows)
    assert merged == [rows[1], LedgerRow(key(1), Values(2, 4, 6, 8, 10, 0.2))]
    assert unflatten(dict(flatten(rows))) == merged
    few = unflatten({**flatten(rows, max_rows=1), "other": 3, "x": "1,2"})
    assert few == [LedgerRow(KEY._replace(users="*"), Values(3, 4, 6, 8, 10, 0.2))]


def test_files(tmp_path: Path) -> None:
    rows = [LedgerRow(KEY, Values(1, 2, 3, 4, 5, 1 / 3)), LedgerRow(key(2), Values())]
    write_csv(rows, tmp_path / "ledger.csv")
    assert read_csv(tmp_path / "ledger.csv") == rows
    (tmp_path / "other.csv").write_text("a,b\n")
    with pytest.raises(ValueError, match="expected the columns"):
        read_csv(tmp_path / "other.csv")

    from pyarrow import parquet

    write_parquet(rows, tmp_path / "ledger.parquet")
    table = parquet.read_table(tmp_path / "ledger.parquet").to_pylist()
    assert [LedgerRow(RowKey(*list(r.values())[:8]), Values(*list(r.values())[8:])) for r in table] == rows


def test_counting_does_not_import_pyarrow() -> None:
    program = "import sys, shared.ledger, shared.ledger_files; assert 'pyarrow' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
