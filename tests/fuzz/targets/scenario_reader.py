"""Scenario files: what is accepted gives a run, the same one again for the same seed."""

from launch.chaos.draws import DRAWS
from launch.chaos.entries import KINDS
from launch.chaos.scenario import ScenarioFile, read_scenario
from shared.config_file import ConfigError, parse_config
from tests.fuzz.oracle import as_file, check_complaint

SEEDS = (
    b"heal_s: 9\nfaults:\n- {at_s: 1, for_s: 4, fault: loss, probability: 0.5, on: {users: [1]}}\n",
    b"seed: 3\nfaults: [{at_s: 2, fault: kill, on: {role: bs}}]\nheal_s: 5\ndrain_s: 1\n",
    b"nemesis:\n  mix: {delay: 2, pause: 1, jammer: .5}\n  every_s: 2\n  for_s: [1, 1.5]\nheal_s: 20\n",
)
TOKENS = (
    *(f"{name}: ".encode() for name in (*ScenarioFile.model_fields, "mix", "every_s", "from_s")),
    *(f"fault: {name}".encode() for name in KINDS),
    *(f"{name}: 1".encode() for name in DRAWS),
    b"on: ", b"role: ", b"class: ", b"users: ", b"direction: both", b"- ", b"{", b"[",
    b".inf", b".nan", b"1e6", b"-1", b"null",
)  # fmt: skip
_RUN = {
    "users": 3,
    "channel": {"model": "rayleigh"},
    "workload": {"requests": 1_000_000, "requests_per_s": 1},
}


def one_input(data: bytes) -> None:
    config = parse_config(_RUN, "run")
    with as_file(data) as path:
        try:
            scenario = read_scenario(str(path))
            under = scenario.under(config)
        except ConfigError as error:
            check_complaint(error)
            return
    if scenario.under(config) != under:
        raise AssertionError("another run by the same seed")
