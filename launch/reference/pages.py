"""Which blocks and drawings there are, and the pages that the blocks go into."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from launch.reference import configuration, examples, journal, scenarios, wire
from launch.reference.drawings import ledger, life, processes, states
from launch.reference.markdown import Block, PageError, filled

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"

BLOCKS: Final[Mapping[str, Block]] = {
    "messages": wire.message_table,
    "message-fields": wire.message_fields,
    "wire-errors": wire.error_table,
    "drops": wire.drop_table,
    "unread": wire.unread_table,
    "configuration": configuration.keys,
    "scenario-keys": scenarios.scenario_keys,
    "aim-keys": scenarios.aim_keys,
    "message-faults": scenarios.message_faults,
    "air-faults": scenarios.air_faults,
    "process-fault-keys": scenarios.process_fault_keys,
    "process-faults": scenarios.process_faults,
    "nemesis-keys": scenarios.nemesis_keys,
    "journal-events": journal.event_table,
    "journal-process": journal.process_table,
    "journal-fault": journal.fault_table,
    **examples.blocks(DOCS / "examples"),
}
DRAWINGS: Final[Mapping[str, Block]] = {
    "processes.svg": processes.draw,
    "life.svg": life.draw,
    "states.svg": states.draw,
    "ledger.svg": ledger.draw,
}


def pages(folder: Path = DOCS) -> Iterator[tuple[Path, str, str]]:
    """Every page and drawing, as it is, and as it should be. Raises `PageError`, which names the page."""
    for name, draw in DRAWINGS.items():
        path = folder / name
        yield path, path.read_text(encoding="utf-8") if path.exists() else "", draw()
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        try:
            yield path, text, filled(text, BLOCKS)
        except PageError as error:
            raise PageError(f"{path}: {error}") from None
