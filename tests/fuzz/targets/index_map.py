"""Index maps: as they are, and as if the checksum always fitted, so that mutations reach behind it."""

import binascii

from shared import index_map
from shared.index_map import IndexMap, IndexMapError
from shared.rate import WHOLE, Prefixes
from shared.semantic_cache import Slot
from shared.token_runs import Run, TokenState

IMAGE_TOKENS = 64
_P, _T, _K, _E, _U = TokenState
_MAPS = (
    IndexMap("vqa", True, False, 12, (64, 127), (Run(_P, 64), Run(_T, 12))),
    IndexMap("text_classification", False, False, 20, (0, 64), (Run(_T, 5, 7), Run(_E, 3), Run(_P, 12))),
    IndexMap("caption", True, True, 0, (64, 64), (Run(_U, 40), Run(_P, 8), Run(_U, 16)), Prefixes(4)),
    IndexMap("vqa", True, False, 4, (64, 64), (Run(_K, 64), Run(_T, 4)), WHOLE, Slot(5, 4_000)),
    IndexMap("vqa", True, False, 4, (64, 64), (Run(_P, 64), Run(_T, 4)), Prefixes(8, 5), None, Slot(15, 1)),
    IndexMap("vqa", True, False, 3, (64, 64), (*(Run(_T, 1), Run(_P, 3, 5)) * 16, Run(_T, 3, 1))),
    IndexMap("vqa", True, False, 0, (64, 64), tuple(Run(_T, 1, i % 8 // 7) for i in range(64))),
)
SEEDS = tuple(index_map.encode(each)[0] for each in _MAPS)
TOKENS = ()


def one_input(data: bytes) -> None:
    _check(data)
    index_map.binascii = _AnyChecksum
    try:
        _check(data)
    finally:
        index_map.binascii = binascii


def _check(data: bytes) -> None:
    try:
        read = index_map.decode(data, IMAGE_TOKENS)
    except IndexMapError:
        return
    if len(read.positions()) != IMAGE_TOKENS * read.has_image + read.text_tokens:
        raise AssertionError(f"{len(read.positions())} positions in {read}")
    payload, n_bits = index_map.encode(read)
    if len(payload) != (n_bits + 7) // 8 or index_map.decode(payload, IMAGE_TOKENS) != read:
        raise AssertionError(f"{read} came back as {index_map.decode(payload, IMAGE_TOKENS)}")


class _Any(int):
    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


class _AnyChecksum:
    """Stands for `binascii`: whatever checksum a map has is the right one."""

    @staticmethod
    def crc_hqx(data: bytes, start: int) -> int:
        return _Any(0)
