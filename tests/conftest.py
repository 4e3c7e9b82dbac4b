"""What every test must leave as it found it: no ZeroMQ context or socket, no thread, task or child process.

A test that needs longer than `DEADLINE_S` in a coroutine says so by `@pytest.mark.timeout(seconds)`.
"""

import asyncio
import functools
import inspect
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import hypothesis
import psutil
import pytest
import zmq
from zmq.utils import garbage

# Examples are judged by what they show, not by how long a busy machine takes for them.
hypothesis.settings.register_profile(
    "m4sc",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
)
hypothesis.settings.load_profile("m4sc")

DEADLINE_S = 30.0
_GRACE_S = 3.0  # for what is on its way out: a killed child, a joined thread

_contexts: "weakref.WeakSet[zmq.Context[Any]]" = weakref.WeakSet()
_make_context = zmq.Context.__init__


@functools.wraps(_make_context)
def _remembering_init(self: "zmq.Context[Any]", *args: Any, **kwargs: Any) -> None:
    _make_context(self, *args, **kwargs)
    _contexts.add(self)


zmq.Context.__init__ = _remembering_init  # type: ignore[method-assign]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            mark = item.get_closest_marker("timeout")
            item.obj = _watched(item.obj, mark.args[0] if mark and mark.args else DEADLINE_S)


def _watched(test: Callable[..., Any], deadline_s: float) -> Callable[..., Any]:
    """The test within a deadline; it must not leave tasks behind."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        before = asyncio.all_tasks()
        async with asyncio.timeout(deadline_s):
            await test(*args, **kwargs)
        left = {task for task in asyncio.all_tasks() - before if not task.done()}
        assert not left, f"left running: {left}"

    return run


def _open_contexts() -> set[int]:
    # The first zero-copy send makes a context of pyzmq's own, for the life of the process.
    return {id(c) for c in _contexts if not c.closed and c is not garbage.gc._context}


def _threads() -> set[threading.Thread]:
    """Those that somebody would have to join; libraries' own daemons live as long as the process."""
    return {t for t in threading.enumerate() if not t.daemon or t.name.startswith(("compute", "m4sc-"))}


def _children() -> set[int]:
    found = set()
    for child in psutil.Process().children(recursive=True):
        try:
            helper = any("resource_tracker" in word for word in child.cmdline())
            if child.status() != psutil.STATUS_ZOMBIE and not helper:
                found.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    before: tuple[set[Any], ...] = (_open_contexts(), _threads(), _children())
    yield
    deadline_s = time.monotonic() + _GRACE_S
    while True:
        left = [
            now - then for now, then in zip((_open_contexts(), _threads(), _children()), before, strict=True)
        ]
        if not any(left):
            return
        if time.monotonic() > deadline_s:
            pytest.fail(f"left behind: ZeroMQ contexts {left[0]}, threads {left[1]}, processes {left[2]}")
        time.sleep(0.02)
