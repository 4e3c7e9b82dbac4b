"""Plain YAML is read as everywhere; what would take for ever is not."""

import time

import pytest
import yaml

from shared.config_file import parse_config
from shared.yaml_door import YamlError, parse_yaml


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [1, 0x1f, 1.5, .inf, true, null, 2001-02-03, 'x']",
        "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}",
        "? a\n: !!set {a, b}\nlist: !!binary aGk=",
        "[" * 60 + "]" * 60,
    ],
)
def test_sound_documents_are_read_as_yaml_reads_them(text: str) -> None:
    assert parse_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0x_", "cannot be read as int (invalid literal"),
        ("!!int a", "cannot be read as int"),
        ("!!float a", "cannot be read as float"),
        ("1" + ":1" * 200 + ".5", "cannot be read as float (int too large"),  # base 60
        ("!!bool maybe", "cannot be read as bool"),
        ("!!timestamp noon", "cannot be read as timestamp"),
        ("2001-02-30", "cannot be read as timestamp (day is out of range for month)"),
        ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("a: *b", "undefined alias"),
        ("a\0", "special characters are not allowed"),
        ("[" * 65, "nested too deep"),
        ("- " * 3_000, "nested too deep"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, says: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert says in str(caught.value)
    assert str(caught.value).isprintable()


def test_merge_keys_that_unfold_without_end_are_refused_at_once() -> None:
    """Nine times the pairs with each line: at the twelfth, 31 thousand million."""
    lines = ["k0: &k0 {a: 1}"]
    lines += [f"k{i}: &k{i} {{<<: [{', '.join([f'*k{i - 1}'] * 9)}]}}" for i in range(1, 12)]
    began_s = time.perf_counter()
    with pytest.raises(YamlError, match="more than 100000 keys"):
        parse_yaml("\n".join(lines))
    assert time.perf_counter() - began_s < 5.0


def test_on_is_a_key_and_true_a_boolean() -> None:
    assert parse_yaml("{on: yes, a: true, b: FALSE, no: 1, c: null}") == {
        "on": "yes", "a": True, "b": False, "no": 1, "c": None,
    }  # fmt: skip


def test_a_configuration_may_still_say_off() -> None:
    assert not parse_config(parse_yaml("sharing: {enabled: off}"), "test").sharing.enabled
