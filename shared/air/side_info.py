"""What the side information costs on the air.

In the present mode, `genie`, the index map crosses error-free and is charged as QPSK at code rate 1/2:
2 bits per symbol x 1/2 = one information bit per channel use (one channel use = one complex symbol).
"""

BITS_PER_USE = 1


def uses_for_bits(n_bits: int) -> int:
    """Channel uses charged for `n_bits` of side information, CRC included. Raises `ValueError` below 0."""
    if n_bits < 0:
        raise ValueError(f"n_bits: expected >= 0, received {n_bits}")
    return -(-n_bits // BITS_PER_USE)
