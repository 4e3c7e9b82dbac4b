"""Which words are booleans, and which stay words."""

import pytest
import yaml

from shared.config_file import parse_config
from shared.yaml_text import read_yaml


def test_on_is_a_key_and_true_a_boolean() -> None:
    assert read_yaml("{on: yes, a: true, b: FALSE, no: 1, c: null}") == {
        "on": "yes", "a": True, "b": False, "no": 1, "c": None,
    }  # fmt: skip


def test_a_configuration_may_still_say_off() -> None:
    assert not parse_config(read_yaml("sharing: {enabled: off}"), "test").sharing.enabled


def test_no_object_is_made_of_a_text() -> None:
    with pytest.raises(yaml.YAMLError):
        read_yaml("!!python/object/apply:os.system [true]")
