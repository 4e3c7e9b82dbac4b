"""Adaptive binary arithmetic coding: decisions, each under a context that learns how likely it is.

Registers and follow-on bits as in Witten, Neal and Cleary 1987; under a context in which `ones` of `total`
decisions were 1, the next one is taken to be 1 with probability (ones + 1/2) / (total + 1) (Krichevsky and
Trofimov 1981). Encoder and decoder have the same interface, so one function can describe a format both ways.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator
from typing import Final, Protocol

_BITS: Final = 32
_TOP: Final = (1 << _BITS) - 1
_HALF: Final = 1 << (_BITS - 1)
_QUARTER: Final = _HALF >> 1


class Coder(Protocol):
    """Either end."""

    def decide(self, context: Hashable, wanted: bool | None) -> bool:
        """The decision: the encoder's is `wanted`, the decoder is given None and finds it out."""
        ...


class _Interval:
    """What both ends keep: the interval that the code lies in, and what each context has seen."""

    def __init__(self) -> None:
        self.low, self.high = 0, _TOP
        self._seen: dict[Hashable, list[int]] = defaultdict(lambda: [0, 0])

    def split(self, context: Hashable) -> int:
        """The last value of the part that stands for 'no'."""
        noes, ones = self._seen[context]
        return self.low + (self.high - self.low + 1) * (2 * noes + 1) // (2 * (noes + ones) + 2) - 1

    def take(self, context: Hashable, decision: bool, split: int) -> None:
        self._seen[context][decision] += 1
        if decision:
            self.low = split + 1
        else:
            self.high = split


class Encoder:
    """Decisions in, bits out."""

    def __init__(self) -> None:
        self._interval = _Interval()
        self._bits: list[int] = []
        self._following = 0

    def decide(self, context: Hashable, wanted: bool | None) -> bool:
        """Codes `wanted`. Raises ValueError where nothing is wanted."""
        if wanted is None:
            raise ValueError("an encoder must be told what to code")
        interval = self._interval
        interval.take(context, wanted, interval.split(context))
        while True:
            if interval.high < _HALF:
                self._put(0)
            elif interval.low >= _HALF:
                self._put(1)
                interval.low -= _HALF
                interval.high -= _HALF
            elif interval.low >= _QUARTER and interval.high < _HALF + _QUARTER:
                self._following += 1
                interval.low -= _QUARTER
                interval.high -= _QUARTER
            else:
                return wanted
            interval.low, interval.high = 2 * interval.low, 2 * interval.high + 1

    def finish(self) -> list[int]:
        """All bits. Whatever follows them, a decoder reads the same decisions."""
        self._following += 1
        self._put(int(self._interval.low >= _QUARTER))
        return self._bits

    def _put(self, bit: int) -> None:
        self._bits += [bit, *[1 - bit] * self._following]
        self._following = 0


class Decoder:
    """Bits in, decisions out. It reads ahead: `bits` must go on, with anything, behind the code."""

    def __init__(self, bits: Iterator[int]) -> None:
        self._interval = _Interval()
        self._bits = bits
        self._value = 0
        for _ in range(_BITS):
            self._value = 2 * self._value + next(bits)

    def decide(self, context: Hashable, wanted: bool | None = None) -> bool:
        interval = self._interval
        split = interval.split(context)
        decision = self._value > split
        interval.take(context, decision, split)
        while True:
            if interval.high < _HALF:
                shift = 0
            elif interval.low >= _HALF:
                shift = _HALF
            elif interval.low >= _QUARTER and interval.high < _HALF + _QUARTER:
                shift = _QUARTER
            else:
                return decision
            interval.low, interval.high = 2 * (interval.low - shift), 2 * (interval.high - shift) + 1
            self._value = 2 * (self._value - shift) + next(self._bits)
