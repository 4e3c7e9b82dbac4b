"""Numbers as bits, most significant first: fixed widths and Elias gamma codes (Elias 1975)."""

from collections.abc import Iterator
from typing import Final

MAX_GAMMA_ZEROS: Final = 31


class BitError(ValueError):
    """There are not the bits that were asked for."""


class BitWriter:
    """Bits in the order in which they are put."""

    def __init__(self) -> None:
        self._value = 0
        self.n_bits = 0

    def put(self, value: int, width: int) -> None:
        """`value`, below 2^width, in `width` bits."""
        self._value = (self._value << width) | value
        self.n_bits += width

    def extend(self, other: "BitWriter") -> None:
        """With all that `other` has."""
        self.put(other._value, other.n_bits)

    def gamma(self, value: int) -> None:
        """`value`, at least 1, in 2 floor(log2 value) + 1 bits."""
        width = value.bit_length()
        self.put(0, width - 1)
        self.put(value, width)

    def to_bytes(self) -> bytes:
        """Zero-padded at the end."""
        padding = -self.n_bits % 8
        return (self._value << padding).to_bytes((self.n_bits + padding) // 8, "big")


class BitReader:
    """Bits in the order in which they were put."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._n_bits = 8 * len(data)
        self.position = 0

    def take(self, width: int) -> int:
        """Raises `BitError`."""
        if self.position + width > self._n_bits:
            raise BitError("there are no more bits")
        self.position += width
        return (self._value >> (self._n_bits - self.position)) & ((1 << width) - 1)

    def gamma(self) -> int:
        """Raises `BitError`."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > MAX_GAMMA_ZEROS:
                raise BitError("a number is too large")
        return (1 << zeros) | self.take(zeros)

    def ahead(self) -> Iterator[int]:
        """The bits from here on, which stay where they are; zeros behind the last one, without end."""
        for place in range(self._n_bits - self.position - 1, -1, -1):
            yield (self._value >> place) & 1
        while True:
            yield 0

    def prefix(self, n_bits: int) -> bytes:
        """The first bits, as `BitWriter.to_bytes` gave them."""
        padding = -n_bits % 8
        return ((self._value >> (self._n_bits - n_bits)) << padding).to_bytes((n_bits + padding) // 8, "big")

    def rest_is_not_padding(self) -> bool:
        """Whether anything but zeros is left."""
        rest = self._n_bits - self.position
        return bool(self._value & ((1 << rest) - 1))
