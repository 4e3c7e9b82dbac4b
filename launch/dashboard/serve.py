"""The dashboard as a process: a socket of its own, the pages, and an end within two seconds."""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

from launch.dashboard.access import Access, Rules
from launch.dashboard.address import Address
from launch.dashboard.control import Control
from launch.errors import LaunchError
from launch.imports import imported_for_good
from launch.temp_dirs import make_temp_dir

_END_S: Final = 1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class ServeOrders:
    """`control`: the socket of the run's control door, empty without one."""

    run_dir: str
    control: str
    host: str
    port: int


def serve(orders: ServeOrders, say: Callable[[str], None]) -> None:
    """Until a signal. `say` gets the address when it can be opened.

    Raises `LaunchError` for an address that cannot be had, `ConfigError` for a folder that is none of a run.
    """
    listener = _listen(Address(orders.host, orders.port))
    scratch = make_temp_dir("page")
    try:
        os.environ["NICEGUI_STORAGE_PATH"] = str(scratch)  # read when nicegui is imported; nothing is kept
        address = replace(Address(orders.host), port=listener.getsockname()[1])
        token = "" if address.is_loopback else secrets.token_urlsafe(24)
        with imported_for_good():
            app = _application(Path(orders.run_dir), Control(orders.control) if orders.control else None)
        config = uvicorn.Config(
            Access(app, Rules(address.port, token, address.host)),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_END_S,
        )
        _Server(config, lambda: say(address.url(token))).run(sockets=[listener])
    finally:
        listener.close()
        shutil.rmtree(scratch, ignore_errors=True)


def _application(run_dir: Path, control: Control | None) -> FastAPI:
    from nicegui import ui

    from launch.dashboard.pages import build

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    build(app, run_dir, control)
    ui.run_with(app, show_welcome_message=False, reconnect_timeout=10.0, language="en-US")
    return app


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise LaunchError(f"{address.host}:{address.port}: cannot listen there ({error.strerror})") from None
    return listener


class _Server(uvicorn.Server):
    """Says when it serves; ends at a signal and returns, so that the command's own exit code counts."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._end)
        await super().startup(sockets)
        if self.started:
            self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def _end(self) -> None:
        self.should_exit = True
