"""Configuration files: what is accepted is written into run folders as JSON and YAML, and read back there."""

import json

from shared.config import RunConfig
from shared.config_file import ConfigError, load_config, parse_config
from shared.fault_config import FAULT_CONFIGS
from tests.fuzz.oracle import as_file, check_complaint

SEEDS = (
    b"users: 2\nchannel: {model: rayleigh, snr_db: [12, .5]}\nrate:\n  image_tokens: 16\n",
    b"channel:\n  faults:\n  - {fault: loss, probability: 0.1}\n  - {fault: partition, at_s: 1, for_s: 2}\n",
    b"process_faults: [{fault: pause, role: ue-1, at_s: 3, for_s: 1}, {fault: kill, role: bs, at_s: 9}]\n",
    b"seed: 7\nname: &a 'x'\nbundle: *a\nquestion_at: ue\nworkload: {tasks: [vqa], requests_per_s: 2.5}\n",
    b"{limits: {text_chars: 99}, liveness: {heartbeat_ms: 100}, channel: {interference: [{sir_db: 3}]}}",
)
TOKENS = (
    *(name.encode() + b": " for name in RunConfig.model_fields),
    *(f"fault: {name}".encode() for name in FAULT_CONFIGS),
    b"snr_trace: ", b"snr_db: ", b"<<: *a", b"&a ", b"*a", b"!!int ", b"!!timestamp ", b"!!bool ",
    b"!!binary ", b"---\n",
    b"2001-02-30", b"0x_", b"1:59:59", b".inf", b".nan", b'"\\ud800"', b'"\\e"', b"? ", b"- ", b"[", b"{",
)  # fmt: skip


def one_input(data: bytes) -> None:
    with as_file(data) as path:
        try:
            config = load_config(path)
        except ConfigError as error:
            check_complaint(error)
            return
    resolved = json.loads(json.dumps(config.model_dump(mode="json"), allow_nan=False))
    if parse_config(resolved, "config.yaml") != config:
        raise AssertionError(f"{config} is not what its run folder says")
