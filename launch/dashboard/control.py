"""The page's side of a run's control door."""

from typing import Any


class Control:
    async def ask(self, user: int, task: str, text: str, image: bytes) -> dict[str, Any]:
        raise NotImplementedError

    async def inject(self, entry: Any) -> dict[str, Any]:
        raise NotImplementedError

    async def heal(self) -> dict[str, Any]:
        raise NotImplementedError
