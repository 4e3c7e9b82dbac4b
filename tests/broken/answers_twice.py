"""A UE that follows every answer with another one, of which its journal knows nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from shared.actions import Action, Send
from shared.spec import RoleSpec
from shared.wire.messages import Answer
from userequipment import process
from userequipment.role import UserEquipment


@contextmanager
def defect() -> Iterator[None]:
    whole = UserEquipment.on_computed

    def on_computed(self: UserEquipment, key: str, result: Any, now_s: float) -> list[Action]:
        actions = whole(self, key, result, now_s)
        answers = [a.message for a in actions if isinstance(a, Send) and isinstance(a.message, Answer)]
        return actions + [Send("ce", replace(a, text=f"not {a.text}", attempt=1)) for a in answers]

    with patch.object(UserEquipment, "on_computed", on_computed):
        yield


def main(spec: RoleSpec) -> int:
    with defect():
        return process.main(spec)
