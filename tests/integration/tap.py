"""Somebody on the way between a peer and a hub: hears every byte, adds some, changes some."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Tap:
    """Relays connections. `upward`: all bytes to the hub; `downward`: all from it."""

    def __init__(self, hub_endpoint: str) -> None:
        host, _, port = hub_endpoint.removeprefix("tcp://").rpartition(":")
        self.hub = (host, int(port))
        self.upward, self.downward = bytearray(), bytearray()
        self.flip_last_bit = False  # of every packet upward
        self._tasks: set[asyncio.Task[None]] = set()
        self._to_hub: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.endpoint = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def inject(self, data: bytes) -> None:
        """Send bytes to the hub as if the peer had."""
        assert self._to_hub is not None
        self._to_hub.write(data)
        await self._to_hub.drain()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.create_task(self._relay(reader, writer)))

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_hub, to_hub = await asyncio.open_connection(*self.hub)
        self._to_hub = to_hub
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, to_hub, self.upward))
                group.create_task(self._copy(from_hub, writer, self.downward))
        finally:
            writer.close()
            to_hub.close()

    async def _copy(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, heard: bytearray) -> None:
        """Until one side closes, which closes the other."""
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                heard += data
                if self.flip_last_bit and heard is self.upward:
                    data = data[:-1] + bytes([data[-1] ^ 1])
                to.write(data)
                await to.drain()
        to.close()
