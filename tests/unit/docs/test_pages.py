"""Pages say what is so: generated parts, links, files and commands that they name."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.exceptions import TyperException

from launch.cli import app
from launch.reference.markdown import PageError, filled
from launch.reference.pages import BLOCKS, pages
from launch.shipped_files import find_shipped
from shared.config_file import load_config
from tests.unit.docs.pages import PAGES, ROOT, anchors, commands, links, name_of, spans

_SOURCES = ("shared", "basestation", "channel_emulator", "userequipment", "launch", "tests", "docs")
_SOURCE = re.compile(rf"(?:{'|'.join(_SOURCES)})/[\w/.-]*\w\.\w+|(?:{'|'.join(_SOURCES)})/[\w/]*")
CONFIGS = ROOT / "launch" / "configs"
COMMAND_LINE = typer.main.get_command(app)
every_page = pytest.mark.parametrize("page", PAGES, ids=name_of)


def test_generated_parts_are_as_they_are_generated() -> None:
    stale = [path.name for path, text, should in pages() if text != should]
    assert stale == [], "run python -m launch.reference"


def test_every_block_has_a_place() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in BLOCKS if f"<!-- generated: {name} -->" not in text] == []


def test_a_place_for_nothing_and_one_without_an_end_are_errors() -> None:
    place = "<!-- generated: a -->\n{}<!-- end -->\n"
    assert filled(place.format(""), {"a": lambda: "said"}) == place.format("\nsaid\n\n")
    assert filled(place.format("\nold\n\n"), {"a": lambda: "said"}) == place.format("\nsaid\n\n")
    with pytest.raises(PageError, match="no block is called a"):
        filled(place.format(""), {})
    with pytest.raises(PageError, match=r"1 places begin .*, 0 of them have an end"):
        filled("<!-- generated: a -->\n", {"a": lambda: "said"})


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    dead = []
    for link in links(text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(link)
    assert dead == []


@every_page
def test_files_that_are_named_are_there(page: Path) -> None:
    named = [span for span in spans(page.read_text(encoding="utf-8")) if _SOURCE.fullmatch(span)]
    named = [name for name in named if not any(part.isupper() for part in name.split("/"))]  # the reader's
    assert [name for name in named if not (ROOT / name).exists()] == []


@every_page
def test_commands_are_ones_that_there_are(page: Path) -> None:
    wrong = [
        problem for words in commands(page.read_text(encoding="utf-8")) if (problem := problem_of(words))
    ]
    assert wrong == []


def problem_of(words: list[str]) -> str | None:
    """What the command line does not know of these words; None if it knows all."""
    command, rest = COMMAND_LINE, list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        try:
            _, command, rest = command.resolve_command(command.context_class(command), rest)
        except TyperException as error:
            return f"{' '.join(words)}: {error}"
    known = {"--help", "-h", *(option for parameter in command.params for option in parameter.opts)}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    for word in rest:
        if re.match("--?[a-z]", word) and word.partition("=")[0] not in known:
            return f"{' '.join(words)}: no option {word}"
    return _wrong_setting(words, rest)


def _wrong_setting(words: list[str], rest: list[str]) -> str | None:
    """Of `m4sc run NAME --set key=value`: whether the run could be made."""
    after = list(zip(rest, [None, *rest], strict=False))
    names = [word for word, before in after if before not in ("--set", "--out") and word[0] != "-"]
    if words[0] != "run" or not names or names[0].isupper() or names[0].startswith(("runs/", "FOLDER/")):
        return None  # the reader's own
    settings = [word for word, before in after if before == "--set" and not re.search(r"=[A-Z]+$", word)]
    try:
        path = find_shipped(Path(names[0]).stem, CONFIGS, "configuration")
        load_config(path, tuple(settings))
    except ValueError as error:
        return f"{' '.join(words)}: {error}"
    return None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ruin demo", "No such command 'ruin'"),
        ("bundle vary x", "No such command 'vary'"),
        ("run demo --jsn", "no option --jsn"),
        ("run demo --set channel.snr=3", "unknown key channel.snr"),
        ("run nosuch", "no such configuration"),
    ],
)
def test_what_is_wrong_with_a_command_is_found(line: str, said: str) -> None:
    assert said in str(problem_of(line.split()))


def test_the_site_is_built_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mkdocs",
            "build",
            "--strict",
            "--quiet",
            "--site-dir",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = list((tmp_path / "site").glob("*.html"))
    assert {path.stem for path in built} >= {page.stem for page in PAGES if page.parent == ROOT / "docs"}
    loaded = re.compile(
        r"""<(?:script|img|iframe|object|source)[^>]* (?:src|data)=["']?(?:https?:)?//"""
        r"""|<link[^>]* rel=["']?(?:stylesheet|preconnect|icon)["']?[^>]*href=["']?https?://"""
    )
    assert [path.name for path in built if loaded.search(path.read_text(encoding="utf-8"))] == []
