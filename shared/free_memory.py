"""Memory that was freed goes back to the kernel: glibc keeps it, and after a burst of work it keeps much."""

import ctypes
from typing import Final


def _trim_of_libc() -> "ctypes._NamedFuncPointer | None":
    """None where the C library has no such thing (it is glibc's own)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim.argtypes, trim.restype = [ctypes.c_size_t], ctypes.c_int
    return trim


_TRIM: Final = _trim_of_libc()


def give_back() -> bool:
    """Whether there was anything to give back (malloc_trim(3)). Takes milliseconds."""
    return _TRIM is not None and bool(_TRIM(0))
