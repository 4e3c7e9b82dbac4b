"""The messages of the wire protocol, and what is wrong with what is none."""

from dataclasses import MISSING, fields

from launch.reference.drops import DROPS, UNREAD
from launch.reference.markdown import code, one_paragraph, table
from launch.reference.schema import Undocumented
from shared.routing import FROM_BS, FROM_UE, SESSION, TO_BS, TO_UE
from shared.wire.codec import REASONS
from shared.wire.messages import (
    CONTROL_MESSAGES,
    DATA_MESSAGES,
    Ask,
    AskResult,
    Command,
    Done,
    Inject,
    Message,
    Progress,
    Ready,
    RoleFailed,
    WorkloadDone,
)

_CONTROL_DIRECTION: dict[type[Message], str] = {
    Command: "agent → role",
    Inject: "agent → `ce`",
    Ask: "agent → `bs`, `ue`",
    Ready: "role → agent",
    RoleFailed: "role → agent",
    Done: "role → agent",
    WorkloadDone: "`bs` → agent",
    AskResult: "`bs`, `ue` → agent",
    Progress: "role → agent",
}


def message_table() -> str:
    """One line on each."""
    rows = [
        (f"[{code(m.KIND)}](#{m.KIND})", direction(m), _lines(m)[0]) for m in DATA_MESSAGES + CONTROL_MESSAGES
    ]
    return table(("message", "direction", "says"), rows)


def message_fields() -> str:
    """Each with its fields, their types and limits as they are checked."""
    return "\n\n".join(_section(m) for m in DATA_MESSAGES + CONTROL_MESSAGES)


def error_table() -> str:
    """What `decode` finds wrong."""
    return table(("reason", "what arrived"), [(code(reason), DROPS[reason].means) for reason in REASONS])


def drop_table() -> str:
    """The other reasons of drops."""
    rows = [
        (code(reason), drop.at, drop.means) for reason, drop in sorted(DROPS.items()) if reason not in REASONS
    ]
    return table(("reason", "counted at", "what happened"), rows)


def unread_table() -> str:
    return table(("reason", "what a UE cannot read"), [(code(r), means) for r, means in UNREAD.items()])


def direction(kind: type[Message]) -> str:
    """'`bs` → `ce` → `ue`' of one that crosses the emulator, else both ends of its hop."""
    if kind in _CONTROL_DIRECTION:
        return _CONTROL_DIRECTION[kind]
    if kind not in SESSION:
        return "`bs` → `ce` → `ue`" if kind in FROM_BS else "`ue` → `ce` → `bs`"
    ends = (
        (FROM_BS, "`bs` → `ce`"),
        (FROM_UE, "`ue` → `ce`"),
        (TO_BS, "`ce` → `bs`"),
        (TO_UE, "`ce` → `ue`"),
    )
    return ", ".join(words for kinds, words in ends if kind in kinds)


def _section(kind: type[Message]) -> str:
    rows = [
        (
            code(field.name),
            f"{'part 1: ' if field.metadata.get('payload') else ''}{field.metadata['doc']}",
            "" if field.default is MISSING else code(field.default),
        )
        for field in fields(kind)
    ]
    said = "\n\n".join(one_paragraph(part) for part in _lines(kind))
    listed = table(("field", "type and limits", "default"), rows)
    return f"### {kind.KIND}\n\n{direction(kind)}\n\n{said}\n\n{listed}"


def _lines(kind: type[Message]) -> list[str]:
    """Paragraphs of the docstring. Raises `Undocumented`."""
    text = kind.__dict__.get("__doc__") or ""
    if not text or text.startswith(f"{kind.__name__}("):  # what a dataclass writes by itself
        raise Undocumented(f"{kind.__module__}.{kind.__name__}: its docstring says what it says")
    return [one_paragraph(part) for part in text.split("\n\n")]
