"""Every reason of a drop that the code knows is explained, and none that it does not know."""

import ast
import re
from collections.abc import Iterator

from launch.reference.drops import DROPS, UNREAD
from shared.link_socket import FAILURES
from shared.meter import DAMAGED
from shared.wire.codec import REASONS
from tests.unit.launch.reference.sources import calls, constant, functions

_GIVE_LAST = ("Drop", "drop", "_drop", "_dropped", "not_sent", "unreadable", "refuse", "_give_up_held")
_RETURN_ONE = ("fault_of_source", "fault_of_receiver", "_introduce", "absence", "on_sign_of_life")
_WORD = re.compile("[a-z]+(_[a-z]+)*")


def found() -> Iterator[str | None]:
    """Reasons where the code gives them: as arguments, as `lost=`, and as what some functions return."""
    for call in calls(*_GIVE_LAST):
        yield constant(call.args[-1]) if call.args else None
    for call in calls("ProtocolError"):
        yield constant(call.args[0])
    for call in calls("Fate"):
        yield from (constant(k.value) for k in call.keywords if k.arg == "lost")
    for function in functions(*_RETURN_ONE):
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                yield from (constant(part) for part in ast.walk(node.value) if isinstance(part, ast.expr))


def test_every_reason_in_the_code_is_explained_and_no_other() -> None:
    in_code = {word for word in found() if word and _WORD.fullmatch(word)} - {"ue", "ce", "bs"}
    in_code |= {*REASONS, *FAILURES, DAMAGED}
    assert in_code - {"incarnation", "user"} == {*DROPS, *UNREAD}
