"""The process shell: commands, computations, crashes, signals, orphans; over real control links."""

import asyncio
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.journal import read_journal
from shared.ledger import Counters, read_counters, unflatten
from shared.link import ControlHub, DataHub, DataPeer
from shared.process import redirect_output
from shared.shell import EXIT_CRASHED, EXIT_ORPHANED
from shared.wire.messages import Ask, AskResult, Bye, Command, Done, Message, Progress, Ready, RoleFailed
from tests.integration.links import until
from tests.unit.shared.samples import hello, side_info, welcome


class Agent:
    """The control hub, and one role process."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.hub = ControlHub()
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, role: str, user: int = -1, data: str = "", **more: Any) -> None:
        given = {"run_dir": str(self.run_dir), "role": role, "user": user, "data": data}
        given |= {"control": self.hub.endpoint, **more}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.shell_role", json.dumps(given),
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def hears(self, kind: type[Message]) -> Any:
        while True:
            _, message = await self.hub.receive()
            if isinstance(message, kind):
                return message

    def tells(self, to: str, verb: str = "", text: str = "") -> None:
        message = Command(verb=verb) if verb else Ask(ask_id="a", user=0, task="vqa", text=text, payload=b"")
        self.hub.send(to, message)

    async def ends(self) -> tuple[int, str]:
        assert self.process is not None
        _, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, errors.decode()

    def events(self, name: str = "process") -> list[dict[str, Any]]:
        return [e for e in read_journal(self.run_dir / "journal.jsonl").events if e["event"] == name]


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    made = Agent(tmp_path)
    yield made
    made.hub.close()
    if made.process is not None and made.process.returncode is None:
        made.process.kill()
        await made.process.communicate()


async def test_the_life_of_an_emulator(agent: Agent) -> None:
    await agent.start("ce")
    ready: Ready = await agent.hears(Ready)
    assert agent.process is not None
    assert (ready.role, ready.user, ready.pid) == ("ce", -1, agent.process.pid)
    peer = DataPeer("ue:1", 0, ready.endpoint, None)
    try:
        peer.send("ce", hello(user=1))
        agent.tells("ce", text="tick")
        assert (await agent.hears(Progress)).values == {"ticks": 1}
        agent.tells("ce", text="compute")
        assert (await agent.hears(AskResult)).text == "2"
        assert (await agent.hears(AskResult)).text == "IndexError('list index out of range')"
        agent.tells("ce", text="record")
        for verb in ("drain", "quiesce", "sample"):
            agent.tells("ce", verb)
            done: Done = await agent.hears(Done)
            assert (done.role, done.verb) == ("ce", verb)
        rows = unflatten(done.values)
        hellos = [v.frames for k, v in rows if (k.hop, k.outcome, k.users) == ("ce-ue", "delivered", "1")]
        assert hellos == [1]
        agent.tells("ce", "stop")
        done = await agent.hears(Done)
        assert await agent.ends() == (0, "")
    finally:
        peer.close()
    (kernel,) = agent.events("kernel")
    assert kernel["link"] == "ce ue:1"
    assert kernel["bytes_sent"] - kernel["bytes_retrans"] == kernel["ledger_sent"] > 0
    assert kernel["bytes_received"] == kernel["ledger_received"] > 0
    assert done.values["ce ue:1 ledger_received"] == kernel["ledger_received"]
    assert [e["what"] for e in agent.events()] == ["started", "stopping", "exit"]
    assert [e["request_id"] for e in agent.events("info")] == ["r1"]
    assert read_counters(agent.run_dir / "counters" / "ce.0.bin")


async def test_stop_reports_connections_that_the_other_side_has_closed(agent: Agent) -> None:
    await agent.start("ce")
    ready: Ready = await agent.hears(Ready)
    peer = DataPeer("ue:1", 0, ready.endpoint, None)
    try:
        peer.send("ce", hello(user=1))
        received = 0
        while not received:  # until it has arrived
            agent.tells("ce", "sample")
            rows = unflatten((await agent.hears(Done)).values)
            received = sum(v.frames for k, v in rows if k.klass == "session" and k.outcome == "delivered")
        agent.tells("ce", "quiesce")
        await agent.hears(Done)
    finally:
        peer.close()
    agent.tells("ce", "stop")
    values = (await agent.hears(Done)).values
    assert values["ce ue:1 bytes_received"] == values["ce ue:1 ledger_received"] > 0
    assert (await agent.ends())[0] == 0


async def test_a_role_that_raises(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    agent.tells("ce", text="fail")
    failed: RoleFailed = await agent.hears(RoleFailed)
    assert failed.detail == "ValueError: the role is broken"
    code, errors = await agent.ends()
    assert code == failed.exit_code == EXIT_CRASHED
    assert "Traceback" in errors
    assert "on_control" in errors
    assert [e["what"] for e in agent.events()] == ["started", "crashed"]


async def test_a_role_that_cannot_be_made(agent: Agent) -> None:
    await agent.start("ce", broken=True)
    assert (await agent.hears(RoleFailed)).detail == "ValueError: no such bundle"
    code, errors = await agent.ends()
    assert (code, "Traceback" in errors) == (EXIT_CRASHED, True)


async def test_a_role_that_exits(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    agent.tells("ce", text="exit")
    assert await agent.ends() == (9, "")
    assert agent.events("info") == []
    assert agent.events()[-1]["detail"] == "code 9 enough"


async def test_sigterm_is_orderly_even_while_computing(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    agent.tells("ce", text="hang")
    agent.tells("ce", "drain")
    await agent.hears(Done)
    assert agent.process is not None
    agent.process.send_signal(signal.SIGINT)  # not for roles
    agent.tells("ce", "sample")
    await agent.hears(Done)
    began_s = asyncio.get_running_loop().time()
    agent.process.terminate()
    assert await agent.ends() == (0, "")
    assert asyncio.get_running_loop().time() - began_s < 3.0
    assert [(e["what"], e["detail"]) for e in agent.events()][1:] == [
        ("stopping", "SIGTERM"),
        ("exit", "code 0 SIGTERM"),
    ]


async def test_without_its_agent_a_role_ends(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    began_s = asyncio.get_running_loop().time()
    agent.hub.close()
    code, _ = await agent.ends()
    assert code == EXIT_ORPHANED
    assert asyncio.get_running_loop().time() - began_s < 3.0


async def test_a_full_disk_ends_a_role_with_a_clear_line(agent: Agent) -> None:
    (agent.run_dir / "journal.jsonl").symlink_to("/dev/full")
    await agent.start("ce")
    assert "No space left" in (await agent.hears(RoleFailed)).detail
    assert (await agent.ends())[0] == EXIT_CRASHED


async def test_what_follows_a_line_waits_until_the_disk_has_room(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    agent.tells("ce", "drain")
    await agent.hears(Done)
    assert agent.process is not None
    journal, pid = agent.run_dir / "journal.jsonl", agent.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (journal.stat().st_size + 20, hard))  # 20 bytes of the next
    agent.tells("ce", text="record")
    agent.tells("ce", "drain")
    agent.tells("ce", text="tick")  # progress promises nothing
    await agent.hears(Progress)
    agent.tells("ce", "sample")  # the shell's own answer
    done: Done = await agent.hears(Done)
    assert done.verb == "sample"
    assert agent.events("info") == []
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
    done = await agent.hears(Done)
    assert done.verb == "drain"
    assert [e["request_id"] for e in agent.events("info")] == ["r1"]
    agent.tells("ce", "stop")
    assert (await agent.ends())[0] == 0
    assert [e["what"] for e in agent.events()] == ["started", "stalled", "stopping", "exit"]
    assert read_journal(journal).torn == []


async def test_a_disk_that_stays_full_ends_a_role_at_its_end(agent: Agent) -> None:
    await agent.start("ce")
    await agent.hears(Ready)
    agent.tells("ce", "drain")
    await agent.hears(Done)
    assert agent.process is not None
    resource.prlimit(agent.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    agent.tells("ce", text="record")
    agent.tells("ce", text="exit")
    assert "File too large" in (await agent.hears(RoleFailed)).detail
    assert (await agent.ends())[0] == EXIT_CRASHED


async def test_a_user_says_goodbye_and_takes_what_is_under_way(agent: Agent) -> None:
    with Counters(agent.run_dir / "hub") as counters:
        data = DataHub(counters)
        try:
            await agent.start("ue", user=0, data=data.endpoint)
            assert await data.receive() == ("ue:0", hello(user=0))
            assert agent.process is not None
            agent.process.terminate()
            bye = Bye(user=0, incarnation=0)
            assert await data.receive() == ("ue:0", bye)
            for _ in range(50):
                data.send("ue:0", side_info(user=0))
            data.send("ue:0", bye)
            assert await agent.ends() == (0, "")
        finally:
            data.close()
    sent = {k.klass: v for k, v in read_counters(agent.run_dir / "hub") if k.outcome == "offered"}
    taken = read_counters(agent.run_dir / "counters" / "ue-0.0.bin")
    assert {k.klass: v for k, v in taken if k.outcome == "delivered" and k.hop == "ce-ue"} == sent
    assert sent["side"].frames == 50
    (kernel,) = agent.events("kernel")
    assert kernel["bytes_received"] == kernel["ledger_received"]


async def test_a_stopped_user_harms_nobody(agent: Agent) -> None:
    """A user's process is frozen: what is under way and what waits is bounded, others are served."""
    with Counters(agent.run_dir / "hub") as counters:
        data = DataHub(counters, credit_bytes=100_000, queue_bytes=200_000)
        other = DataPeer("ue:1", 0, data.endpoint, None)
        try:
            other.send("ce", hello(user=1))
            assert await data.receive() == ("ue:1", hello(user=1))
            await agent.start("ue", user=0, data=data.endpoint)
            assert await data.receive() == ("ue:0", hello(user=0))
            data.send("ue:0", welcome(0, credit_bytes=100_000))
            assert agent.process is not None
            agent.process.send_signal(signal.SIGSTOP)
            for _ in range(500):
                data.send("ue:0", side_info(user=0, payload=bytes(2_000)))
            assert 190_000 < data.pending_bytes <= 200_000
            data.send("ue:1", welcome(1))
            assert (await other.receive())[1] == welcome(1)
            agent.process.send_signal(signal.SIGCONT)
            await until(lambda: data.pending_bytes == 0, data)
            agent.process.terminate()
            assert (await agent.ends())[0] == 0
            side = {k.outcome: v.frames for k, v in counters.rows() if k.klass == "side"}
            assert side["offered"] + side["dropped"] == 500
            assert side["dropped"] > 300
            assert "lost" in [e["what"] for e in agent.events()]  # this emulator does not say goodbye
        finally:
            other.close()
            data.close()


async def test_a_killed_user_is_gone(agent: Agent) -> None:
    with Counters(agent.run_dir / "hub") as counters:
        data = DataHub(counters)
        try:
            await agent.start("ue", user=0, data=data.endpoint)
            assert await data.receive() == ("ue:0", hello(user=0))
            assert agent.process is not None
            agent.process.kill()
            await agent.ends()
            await until(lambda: data.events["lost_peer"] == 1, data)
            data.send("ue:0", side_info(user=0))
            side = {(k.outcome, k.reason): v.frames for k, v in counters.rows() if k.klass == "side"}
            assert side == {("offered", ""): 0, ("dropped", "peer_gone"): 1}
            assert data.connections() == []
        finally:
            data.close()


def test_redirect_output(tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        redirect_output(tmp_path / "logs" / "x.log")
        os.write(1, b"out\n")
        os.write(2, b"err\n")
        os._exit(0)
    os.waitpid(pid, 0)
    assert (tmp_path / "logs" / "x.log").read_text() == "out\nerr\n"
