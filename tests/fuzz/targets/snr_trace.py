"""CSV files of an SNR over time, for two users."""

from itertools import pairwise

from shared.air.snr_trace import SNR_DB
from shared.config_file import ConfigError, parse_config
from tests.fuzz.oracle import as_file, check_complaint

SEEDS = (
    b"first_use,user,snr_db\n0,0,15\n0,1,10\n500,0,-3.5\n",
    b'first_use,user,snr_db\r\n0,0,"1"\r\n0,1,2e1',
)
TOKENS = (b"first_use,user,snr_db\n", b"nan", b"inf", b"1e9", b'"', b"\r\n", b"\0", b"1_0", b"9" * 400)


def one_input(data: bytes) -> None:
    with as_file(data) as path:
        try:
            config = parse_config({"users": 2, "channel": {"snr_trace": str(path)}}, "test")
        except ConfigError as error:
            check_complaint(error)
            return
    steps = config.channel.snr_trace
    for user in (0, 1) if steps else ():
        uses = [first_use for first_use, of, _ in steps if of == user]
        if uses[0] != 0 or any(a >= b for a, b in pairwise(uses)):
            raise AssertionError(f"user {user} at channel uses {uses}")
    if not all(SNR_DB[0] <= snr_db <= SNR_DB[1] for _, _, snr_db in steps):
        raise AssertionError(f"steps {steps}")
