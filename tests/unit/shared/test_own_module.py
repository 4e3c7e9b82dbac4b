"""A module of somebody's own that cannot be used: what is said of it is one line that shows the place."""

from pathlib import Path

import pytest

from shared.own_module import from_own_module


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import no_such_library\n", "(No module named 'no_such_library'), expected one of a, b"),
        ("x = 1\nx = (\n", "(SyntaxError: '(' was never closed at {file}, line 2), expected"),
        ("x = 1\n\nx = 1 / 0\n", "(ZeroDivisionError: division by zero at {file}, line 3), expected"),
        ("raise ValueError('two\\nlines')\n", "(ValueError: two lines at {file}, line 1), expected"),
    ],
)
def test_one_that_fails_is_named_with_the_place(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / f"own_{tmp_path.name}"
    package.mkdir()
    file = package / "channel.py"
    file.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ValueError, match=r"^channel\.model: ") as found:
        from_own_module(f"{package.name}.channel", "CHANNEL", object, "channel.model", ("a", "b"))
    said = str(found.value)
    assert told.format(file=file) in said
    assert "\n" not in said


def test_what_it_has_is_what_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_whole").mkdir()
    (tmp_path / "own_whole" / "channel.py").write_text("CHANNEL = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert from_own_module("own_whole.channel", "CHANNEL", int, "channel.model", ()) == 7
    with pytest.raises(ValueError, match=r"own_whole\.channel has no CHANNEL"):
        from_own_module("own_whole.channel", "CHANNEL", str, "channel.model", ())
