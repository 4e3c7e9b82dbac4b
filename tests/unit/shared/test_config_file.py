"""The only door for configuration: one clear line for everything that cannot be run."""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import RunConfig
from shared.config_file import MAX_CHARS, ConfigError, load_config, parse_config
from tests.fuzz.oracle import check_complaint
from tests.unit.shared.samples import json_values


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def test_a_file_and_overrides_make_a_configuration(tmp_path: Path) -> None:
    path = write(tmp_path, "users: 3\nchannel: {model: rayleigh, snr_db: 12}\n")
    config = load_config(path, ("channel.snr_db=[1, 2.5, 3]", "sharing.enabled=false", "name=mine"))
    assert (config.users, config.name, config.sharing.enabled) == (3, "mine", False)
    assert [config.channel.snr_db_of(u) for u in range(3)] == [1.0, 2.5, 3.0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sed: 1", "unknown key sed (nearest known: seed)"),
        ("channel: {snrdb: 1}", "unknown key channel.snrdb (nearest known: snr_db)"),
        ("workload: {request: 1}", "nearest known: requests"),
        ("users: 0", "users: "),
        ("users: many", "users: "),
        ("channel: {codec: bypass}", "needs channel.model 'ideal'"),
        ("channel: {snr_db: [1, 2]}", "lists 2 values for 4 users"),
        ("channel: {snr_db: 1000}", "[-50, 100] dB"),
        ("channel: {snr_db: .nan}", "channel.snr_db.float: Input should be a finite number"),
        ("channel: {faults: [{fault: gremlins}]}", "channel.faults.0.fault: expected one of noop, loss"),
        (
            "channel: {faults: [{fault: loss, probabilty: 1}]}",
            "unknown key channel.faults.0.probabilty (nearest known: probability)",
        ),
        ("security: {curve: maybe}", "security.curve: "),
        ("{users: 8193, security: {curve: true}}", "security.curve: at most 8192 users, not 8193"),
        ("question_at: moon", "question_at: "),
        ("{question_at: ue, workload: {tasks: [text_classification]}}", "vqa among workload.tasks"),
        ("{question_at: ue, workload: {source: imdb_file}}", "vqa among workload.tasks"),
        ("rate: {image_tokens: [1, 2]}", "rate.image_tokens lists 2 values for 4 users"),
        ("rate: {image_tokens: 0}", "rate.image_tokens"),
        ("rate: {selection: question, target: 0.9}", "what was measured is of selection 'salient'"),
        (
            "{rate: {selection: question}, question_at: ue}",
            "asked at the UE are not known before",
        ),
        ("{rate: {selection: question}, cache: {images: 1}}", "expected cache.images 0"),
        ("rate: {image_eighths: 9}", "rate.image_eighths: "),
        ("rate: {text_eighths: 0}", "rate.text_eighths: "),
        (
            "{channel: {codec: bypass, model: ideal, sample_format: cf32}, rate: {image_eighths: 4}}",
            "rate.image_eighths: channel.codec 'bypass' sends whole vectors",
        ),
        (
            "{channel: {codec: bypass, model: ideal, sample_format: cf32}, rate: {text_eighths: 4}}",
            "rate.text_eighths: channel.codec 'bypass' sends whole vectors",
        ),
        ("cluster: {data_network: 10.0.2.0/24}", "need cluster.address"),
        ("cluster: {address: 'a:1', data_network: 10.0.2.1/24}", "cluster.data_network: "),
        ("cluster: {address: 'a:1', placement: {eu: [b]}}", "unknown key cluster.placement.eu"),
        ("cluster: {host_timeout_s: 0}", "cluster.host_timeout_s: "),
        ("cache: {images: 17}", "cache.images: "),
        ("channel: {snr_trace: nowhere.csv}", "channel.snr_trace: nowhere.csv: cannot be read"),
        ("retransmission: {least_snr_db: loud}", "retransmission.least_snr_db: "),
        ("- a list", "expected a map"),
        ("a: [", "not YAML"),
    ],
)
def test_what_cannot_be_run_is_named_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert "run.yaml" in message


@pytest.mark.parametrize("override", ["users", "=3", "users.x=3", "channel.snr_db=["])
def test_a_bad_override_is_named(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError, match="--set"):
        load_config(write(tmp_path, "users: 2"), (override,))


_SECTIONS = sorted(
    name for name, field in RunConfig.model_fields.items() if hasattr(field.annotation, "model_fields")
)
_PATHS = [(name,) for name in RunConfig.model_fields] + [
    (section, name)
    for section in _SECTIONS
    for name in RunConfig.model_fields[section].annotation.model_fields  # type: ignore[union-attr]
]


@given(st.sampled_from(_PATHS), json_values())
def test_any_value_of_any_key_is_accepted_or_named(path: tuple[str, ...], value: object) -> None:
    """What is accepted reads back from a run folder as itself."""
    data: Any = value
    for name in reversed(path):
        data = {name: data}
    try:
        config = parse_config(data, "run.yaml")
    except ConfigError as error:
        check_complaint(error, "run.yaml: ")
        return
    resolved = json.dumps(config.model_dump(mode="json"), allow_nan=False)
    assert parse_config(json.loads(resolved), "config.yaml") == config


@given(st.text(st.characters(codec="utf-8")) | st.text("[]{}:,-?&*!<>%@`'\" \n#|0x_.ab"))
def test_any_text_is_a_configuration_or_named(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            load_config(write(Path(folder), text))
        except ConfigError as error:
            check_complaint(error, f"{folder}/run.yaml: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#" * (MAX_CHARS + 1), "expected at most 4194304 characters"),
        ("[" * 5_000, "not YAML (nested too deep"),
        ("- " * 5_000, "not YAML (nested too deep"),
        ("a: 2001-02-30", "not YAML (cannot be read as timestamp (day is out of range for month)"),
        ("a: !!bool x", "not YAML (cannot be read as bool"),
        ("seed: 9223372036854775808", "seed: expected a number of at most 63 bits"),
        ("deadline_ms: 2147483648", "deadline_ms: "),
        ("sharing: {mean_threshold: .inf}", "sharing.mean_threshold: "),
        ("channel: {faults: [{fault: rate_limit, kbytes_per_s: .inf}]}", "kbytes_per_s: "),
        ("? " + "sed" * 1_000 + "\n: 1", "nearest known: "),
    ],
)
def test_what_is_too_much_is_named_at_once(tmp_path: Path, text: str, says: str) -> None:
    began_s = time.perf_counter()
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert says in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_000
    assert time.perf_counter() - began_s < 2.0


def test_a_trace_without_end_is_not_read_to_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected at most 4194304 characters"):
        load_config(write(tmp_path, "channel: {snr_trace: /dev/zero}"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such configuration file"):
        load_config(tmp_path / "none.yaml")


def test_a_resolved_configuration_reads_back_as_itself() -> None:
    config = RunConfig(users=2, seed=7)
    assert parse_config(config.model_dump(mode="json"), "config.yaml") == config


@pytest.mark.parametrize(
    ("curve", "on_one", "on_two"), [(None, False, True), (True, True, True), (False, False, False)]
)
def test_curve_unless_said_otherwise_is_for_more_than_one_host(
    curve: bool | None, on_one: bool, on_two: bool
) -> None:
    security = parse_config({"security": {"curve": curve}}, "test").security
    assert (security.curve_on(), security.curve_on(hosts=2)) == (on_one, on_two)
