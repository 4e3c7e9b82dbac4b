"""The command line: fast help with examples, one-line errors."""

import subprocess
import sys
from pathlib import Path

import pytest

M4SC = str(Path(sys.executable).parent / "m4sc")
COMMANDS = (
    "demo",
    "run",
    "up",
    "ask",
    "status",
    "down",
    "doctor",
    "train",
    "bundle",
    "bundle create",
    "bundle verify",
    "report",
    "dashboard",
    "bench",
    "experiment",
    "experiment ablations",
    "data",
    "data clevr-style",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(command: str) -> None:
    done = subprocess.run([M4SC, *command.split(), "--help"], capture_output=True, text=True, check=True)
    assert f"m4sc {command.split()[0]}" in done.stdout.split("Example", 1)[1]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, launch.cli\n"
        "heavy = {'ray', 'torch', 'numpy', 'pydantic', 'zmq', 'PIL', 'matplotlib', 'transformers'}\n"
        "heavy |= {'nicegui', 'uvicorn', 'fastapi', 'prometheus_client'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unknown_option_is_exit_code_2() -> None:
    done = subprocess.run([M4SC, "run", "demo", "--colour"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "No such option" in done.stderr


def test_an_error_of_a_person_is_one_line() -> None:
    done = subprocess.run([M4SC, "run", "no-such"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("m4sc: no-such: no such configuration")
    assert len(done.stderr.splitlines()) == 1
