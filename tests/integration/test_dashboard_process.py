"""The dashboard as a process: it says where it is, keeps its rules on real sockets, and ends when told."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from launch.bench.visitor import Visitor
from launch.dashboard.address import Address
from launch.dashboard.child import DashboardChild
from launch.errors import LaunchError
from launch.runfolder import create_run_folder
from shared.config import RunConfig
from tests.unit.launch.made_run import MadeRun

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    run = MadeRun(create_run_folder(RunConfig(users=3), tmp_path / "run"))
    run.run()
    run.write_journal()
    return run.folder


@pytest.fixture
def child(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DashboardChild]:
    monkeypatch.chdir(run_dir.parent)
    before = set(psutil.Process().children(recursive=True))
    child = DashboardChild(run_dir, "", Address())
    yield child
    child.end()
    child.close()
    assert set(psutil.Process().children(recursive=True)) <= before
    assert not (run_dir.parent / ".nicegui").exists()


def get(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].strip("/"))


def test_it_serves_the_page_and_the_metrics_and_ends_with_a_visitor_there(
    child: DashboardChild, run_dir: Path
) -> None:
    port = port_of(child.wait_ready())
    status, page = get(port, "/")
    assert status == 200
    assert b"M4SC" in page
    assert b"https://" not in page, "nothing is loaded from elsewhere"
    status, metrics = get(port, "/metrics")
    assert status == 200
    assert b'm4sc_requests_total{state="answered"} 6.0' in metrics
    assert get(port, "/picture/none")[0] == 404
    assert get(port, "/", Host="evil.example")[0] == 403
    assert get(port, "/metrics", Origin="http://evil.example")[0] == 403
    with socket.create_connection(("127.0.0.1", port), timeout=30) as visitor:
        visitor.sendall(
            f"GET /_nicegui_ws/socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert visitor.recv(64).startswith(b"HTTP/1.1 101")
        began_s = time.monotonic()
        child.end(60.0)
        assert time.monotonic() - began_s < 30.0, "in order, not at the end of its time"
    with pytest.raises(ConnectionError):
        get(port, "/")


def test_one_who_looks_is_sent_what_is_new_and_may_leave(child: DashboardChild) -> None:
    visitor = Visitor(child.wait_ready())
    visitor.come()
    assert visitor.saw_something(60.0), "the page sent nothing"
    visitor.leave()
    assert visitor.bytes > 1_000


def test_it_dies_with_the_thread_that_started_it(run_dir: Path) -> None:
    started: list[DashboardChild] = []

    def start() -> None:
        started.append(DashboardChild(run_dir, "", Address()))
        started[0].wait_ready()

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    process = psutil.Process(started[0].pid)
    assert started[0].wait_ended(30.0)
    started[0].end()
    started[0].close()
    assert not process.is_running()


def test_an_address_that_is_taken_is_said_in_one_line(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        child = DashboardChild(run_dir, "", Address("127.0.0.1", taken.getsockname()[1]))
        with pytest.raises(LaunchError, match=r"did not start: 127\.0\.0\.1:\d+: cannot listen there"):
            child.wait_ready()
        child.end()
        child.close()
