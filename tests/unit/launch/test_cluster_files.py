"""The files that bring hosts up, as far as they can be checked where no container runs: against Ray's own
schema and options, and against the project."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from launch.placement import ROLE_LABEL
from shared.config import ClusterConfig

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "launch" / "cluster_files"
RAY_KNOWS = """
import json, sys, yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import start
prepared = prepare_config(yaml.safe_load(open(sys.argv[1])))
validate_config(prepared)
print(json.dumps([prepared, [word for option in start.params for word in option.opts]]))
"""
"""In a process of its own: Ray reads its environment when it is first imported."""


def read(name: str) -> Any:
    return yaml.safe_load((FILES / name).read_text())


@pytest.fixture(scope="module")
def ray_knows() -> tuple[dict[str, Any], set[str]]:
    """`ray_up.yaml` as `ray up` prepares it, and the options of `ray start`."""
    done = subprocess.run(
        [sys.executable, "-c", RAY_KNOWS, str(FILES / "ray_up.yaml")],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    prepared, options = json.loads(done.stdout.splitlines()[-1])
    return prepared, set(options)


def started(command: str) -> tuple[set[str], str | None]:
    """The options of a `ray start`, and the role in its label."""
    options = set(re.findall(r"--[a-z][a-z-]*", command.partition("ray start")[2]))
    label = re.search(rf"--labels={ROLE_LABEL}=(\w+)", command)
    return options, None if label is None else label[1]


def test_ray_up_takes_its_file_and_every_option_is_one_of_rays(
    ray_knows: tuple[dict[str, Any], set[str]],
) -> None:
    prepared, known = ray_knows
    (worker,) = (kind for kind in prepared["available_node_types"].values())
    assert worker["min_workers"] == worker["max_workers"] == len(prepared["provider"]["worker_ips"])
    commands = [*prepared["head_start_ray_commands"], *prepared["worker_start_ray_commands"]]
    starts = [command for command in commands if "ray start" in command]
    assert [started(command)[1] for command in starts] == ["bs", None]
    for command in starts:
        assert "RAY_AUTH_MODE=token" in command
        assert started(command)[0] <= known
    for service in read("compose.yaml")["services"].values():
        assert started(service["command"])[0] <= known
    kuberay = read("kuberay.yaml")["spec"]
    for group in (kuberay["headGroupSpec"], *kuberay["workerGroupSpecs"]):
        assert {f"--{name}" for name in group["rayStartParams"]} <= known


def test_ray_up_brings_what_the_image_holds() -> None:
    mounts = read("ray_up.yaml")["file_mounts"]
    brought = {source for target, source in mounts.items() if target.startswith("~/m4sc/")}
    dockerfile = (FILES / "Dockerfile").read_text()
    copied = {
        word
        for line in re.findall(r"^COPY --chown=m4sc (.*) \S+$", dockerfile, re.MULTILINE)
        for word in line.split()
    }
    assert brought == copied | {"Makefile"}
    assert all((ROOT / name).exists() for name in brought)
    let_in = re.findall(r"^!(.*)$", (FILES / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert set(let_in) == copied


def test_versions_are_the_projects() -> None:
    constraints = (ROOT / "constraints.txt").read_text()
    dockerfile = (FILES / "Dockerfile").read_text()
    assert f"ray=={read('kuberay.yaml')['spec']['rayVersion']}\n" in constraints
    python = re.search(r"^FROM python:([0-9.]+)-slim$", dockerfile, re.MULTILINE)
    assert python is not None
    assert f'requires-python = ">={python[1]}"' in (ROOT / "pyproject.toml").read_text()
    assert "-c constraints.txt -e '.[train]'" in dockerfile


def test_every_host_has_the_token_and_its_role() -> None:
    services = read("compose.yaml")["services"]
    for name, service in services.items():
        assert started(service["command"])[1] == name
        assert service["environment"]["RAY_AUTH_MODE"] == "token"
        assert service["environment"]["RAY_AUTH_TOKEN"].startswith("${RAY_AUTH_TOKEN:?")
        place = FILES / service["build"]["context"]
        assert (place / service["build"]["dockerfile"]).resolve() == FILES / "Dockerfile"
    assert sorted(services) == ["bs", "ce", "ue"]
    kuberay = read("kuberay.yaml")["spec"]
    assert kuberay["authOptions"] == {"mode": "token"}
    groups = [kuberay["headGroupSpec"], *kuberay["workerGroupSpecs"]]
    assert [group["labels"] for group in groups] == [{ROLE_LABEL: role} for role in ("bs", "ce", "ue")]
    for group in groups[1:]:
        (container,) = group["template"]["spec"]["containers"]
        for probe in ("readinessProbe", "livenessProbe"):
            assert str(container[probe]["tcpSocket"]["port"]) == group["rayStartParams"]["node-manager-port"]


@pytest.mark.parametrize("name", ["compose.yaml", "kuberay.yaml", "ray_up.yaml"])
def test_what_a_person_is_told_to_type_names_keys_and_files_that_there_are(name: str) -> None:
    text = (FILES / name).read_text()
    keys = re.findall(r"m4sc run demo --set cluster\.(\w+)=", text)
    assert keys
    assert set(keys) <= set(ClusterConfig.model_fields)
    for path in re.findall(r"launch/[\w/.]+\.yaml", text):
        assert (ROOT / path).exists()
