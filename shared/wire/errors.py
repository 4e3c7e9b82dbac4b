"""The two kinds of failure on the wire: the peer's and our own."""


class ProtocolError(Exception):
    """What arrived is not a valid message. The only error that decoding foreign bytes may raise.

    `reason` is a short, stable word for counters; `expected` and `received` are for people.
    """

    def __init__(self, reason: str, expected: str, received: str) -> None:
        super().__init__(f"{reason}: expected {expected}, received {received}")
        self.reason = reason
        self.expected = expected
        self.received = received


class LocalProtocolError(ValueError):
    """This process tried to build a message that the protocol does not allow: a bug on our side."""
