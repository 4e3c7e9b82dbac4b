"""The ledger as files for people and tools: CSV and Parquet, one row a line, columns as in the rows."""

import csv
from collections.abc import Iterable
from pathlib import Path

from shared.ledger_rows import LedgerRow, RowKey, Values

COLUMNS: tuple[str, ...] = (*RowKey._fields, *Values._fields)


def write_csv(rows: Iterable[LedgerRow], path: Path | str) -> None:
    """Write `ledger.csv`."""
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((*row.key, *row.values) for row in rows)


def write_parquet(rows: Iterable[LedgerRow], path: Path | str) -> None:
    """Write `ledger.parquet`: the key as text, counts as int64, energy as float64."""
    import pyarrow as pa  # here: the roles, which count but never write this, must not pay for the import
    from pyarrow import parquet

    kinds = [pa.string()] * len(RowKey._fields) + [pa.int64()] * (len(Values._fields) - 1) + [pa.float64()]
    flat = [(*row.key, *row.values) for row in rows]
    columns = [pa.array([line[i] for line in flat], type=kind) for i, kind in enumerate(kinds)]
    parquet.write_table(pa.table(columns, names=list(COLUMNS)), path)


def read_csv(path: Path | str) -> list[LedgerRow]:
    """Inverse of `write_csv`. Raises `ValueError` for a file of other columns."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        if tuple(next(reader, ())) != COLUMNS:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}")
        keys = len(RowKey._fields)
        return [LedgerRow(RowKey(*line[:keys]), Values.parse(line[keys:])) for line in reader]
