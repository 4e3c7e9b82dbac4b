"""Never comes back from inputs that begin with 'no'."""

SEEDS = (b"nn",)
TOKENS = ()


def one_input(data: bytes) -> None:
    while data[:1] == b"n" and data[1:2] == b"o":
        pass
