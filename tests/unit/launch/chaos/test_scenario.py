"""Scenario files: what is read from them, what a run is under them, and what is refused at the door."""

import re
from pathlib import Path

import pytest
import yaml

from launch.chaos.scenario import SCENARIOS, Scenario, read_scenario
from launch.commands.common import CONFIGS
from shared.config import ChaosConfig, RunConfig
from shared.config_file import ConfigError, load_config, parse_config
from shared.fault_config import FAULT_CONFIGS
from shared.process_fault_config import PROCESS_FAULT_CONFIGS

HEALED = "heal_s: 20\ndrain_s: 5\n"
LOSS = (
    "  - {at_s: 1, for_s: 4, fault: loss, probability: 0.5, on: {users: 1, direction: both, class: side}}\n"
)


def config(**changes: object) -> RunConfig:
    workload = {"requests": 300, "requests_per_s": 10, **changes}
    return parse_config({"seed": 3, "users": 4, "workload": workload}, "test")


def scenario(folder: Path, text: str) -> Scenario:
    path = folder / "made.yaml"
    path.write_text(text, encoding="utf-8")
    return read_scenario(str(path))


def test_faults_go_where_they_belong(tmp_path: Path) -> None:
    text = HEALED + "faults:\n" + LOSS + "  - {at_s: 2, fault: kill, on: {role: ue-3}}\n"
    run = scenario(tmp_path, text + "  - {at_s: 4, fault: partition}\n").under(config())
    loss, partition = run.channel.faults
    assert (loss.fault, loss.users, loss.direction, loss.classes) == ("loss", (1,), "both", ("side",))
    assert (partition.at_s, partition.for_s) == (4.0, 16.0)  # to the heal, as it has no end of its own
    (kill,) = run.process_faults
    assert (kill.fault, kill.role, kill.at_s) == ("kill", "ue-3", 2.0)
    assert run.chaos == ChaosConfig(scenario="made", heal_s=20.0, drain_s=5.0)
    assert run.seed == 3


@pytest.mark.parametrize(("asked", "in_file", "seed"), [(9, 8, 9), (None, 8, 8), (None, None, 3)])
def test_whose_seed(tmp_path: Path, asked: int | None, in_file: int | None, seed: int) -> None:
    text = HEALED + "faults:\n" + LOSS + (f"seed: {in_file}\n" if in_file else "")
    assert scenario(tmp_path, text).under(config(), asked).seed == seed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "expected a map of keys at the top"),
        (HEALED, "expected faults, a nemesis, or both"),
        ("faults: []\n", "heal_s: Field required"),
        (HEALED + "fault: []\n", "unknown key fault (nearest known: faults)"),
        (HEALED + "faults: [1]\n", "faults.0"),
        (HEALED + "faults: [{fault: melt}]\n", "faults.0.fault: expected one of noop, loss"),
        (HEALED + "faults: [{fault: loss, probability: 2}]\n", "faults.0: probability: Input should be less"),
        (
            HEALED + "faults: [{fault: loss, probabilty: 1}]\n",
            "faults.0: unknown key probabilty (nearest known: probability)",
        ),
        (
            HEALED + "faults: [{fault: loss, users: [1], probability: 1}]\n",
            "faults.0.users: belongs into on:",
        ),
        (
            HEALED + "faults: [{fault: loss, probability: 1, on: {role: bs}}]\n",
            "faults.0.on.role: loss is a fault on messages, expected users, direction, class",
        ),
        (
            HEALED + "faults: [{fault: kill, at_s: 1, on: {users: [1]}}]\n",
            "faults.0.on.users: kill is a fault on processes, expected role",
        ),
        (
            HEALED + "faults: [{fault: loss, probability: 1, on: {class: [pilots]}}]\n",
            "faults.0: on.class.0: Input should be 'public'",
        ),
        (HEALED + "faults: [{fault: kill, at_s: 1, on: {role: moon}}]\n", "faults.0: on.role"),
        (
            HEALED + "faults: [{fault: loss, probability: 1, at_s: 18, for_s: 3}]\n",
            "faults.0: loss ends after 21 s, expected at most heal_s 20",
        ),
        (HEALED + "nemesis: {mix: {}, every_s: 2}\n", "nemesis.mix"),
        (HEALED + "nemesis: {mix: {noop: 1}, every_s: 2}\n", "nemesis.mix.noop: expected some of"),
        (HEALED + "nemesis: {mix: {loss: 0}, every_s: 2}\n", "nemesis.mix.loss: expected a weight above 0"),
        ("heal_s: 90\nnemesis: {mix: {loss: 1}, every_s: 0.1}\n", "every_s: expected at most 512 faults"),
        (HEALED + "nemesis: {mix: {loss: 1}, every_s: 30}\n", "nemesis: no fault ends by heal_s 20"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        scenario(tmp_path, text).under(config())
    line = str(error.value)
    assert said in line
    assert line.startswith(str(tmp_path / "made.yaml"))
    assert "\n" not in line


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"requests_per_s": None}, "expected one workload.requests_per_s"),
        (
            {"requests": 200},
            "200 requests at 10 a second end after 20 s, expected more than heal_s + drain_s",
        ),
        ({"limit": 30}, "30 requests at 10 a second end after 3 s"),
    ],
)
def test_somebody_must_still_ask_after_the_heal(
    tmp_path: Path, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(ConfigError, match=said.replace("+", r"\+")):
        scenario(tmp_path, HEALED + "faults:\n" + LOSS).under(config(**changes))


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match="shipped: everything, nemesis"):
        read_scenario("evrything")


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_scenarios_fit_the_shipped_run_as_their_comments_say(path: Path) -> None:
    (command,) = re.findall(rf"^#   m4sc chaos chaos {path.stem}\b(.*)$", path.read_text(), re.MULTILINE)
    chaos = load_config(CONFIGS / "chaos.yaml", tuple(re.findall(r"--set (\S+)", command)))
    run = read_scenario(path.stem).under(chaos)
    assert run.channel.faults
    assert run.process_faults
    again = parse_config(yaml.safe_load(yaml.safe_dump(run.model_dump(mode="json"))), "again")
    assert again == run


def test_everything_has_every_kind_of_fault() -> None:
    run = read_scenario("everything").under(load_config(CONFIGS / "chaos.yaml"))
    kinds = {fault.fault for fault in (*run.channel.faults, *run.process_faults)}
    assert kinds == {*FAULT_CONFIGS, *PROCESS_FAULT_CONFIGS} - {"noop"}
