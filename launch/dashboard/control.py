"""The page's side of a run's control door. A call waits on a thread, off the page's loop, within a bound."""

import asyncio
import base64
from typing import Any, Final

from launch.control_door import knock

_ASK_S: Final = 600.0
_WAIT_S: Final = 30.0


class Control:
    """All raise `LaunchError`, one line, for what is refused or does not come in time."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def ask(self, user: int, task: str, text: str, image: bytes) -> dict[str, Any]:
        """A question, to its terminal state: ask_id, user, state, reason, text, latency_ms."""
        request = {"verb": "ask", "user": user, "task": task, "text": text}
        return await self._call({**request, "image": base64.b64encode(image).decode()}, _ASK_S)

    async def inject(self, entry: Any) -> dict[str, Any]:
        """A fault that begins now, as a scenario has them."""
        return await self._call({"verb": "inject", "fault": entry}, _WAIT_S)

    async def heal(self) -> dict[str, Any]:
        """The end of all faults."""
        return await self._call({"verb": "heal"}, _WAIT_S)

    async def _call(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        return await asyncio.to_thread(knock, self._path, request, timeout_s)
