"""A digest of the token identities of one request, computed by both ends on their own.

The base station derives it from its plan, the UE from the frames it used; the verdict compares them, so a
token taken from the wrong place (a stale cache entry, a frame of another group) shows.
"""

import hashlib
from collections.abc import Iterable

from shared.token_runs import TokenState


def token_digest(group_id: int, positions: Iterable[tuple[TokenState, int]], known: str = "") -> str:
    """32 hex digits over (state, group, reference) of every position, in sequence order.

    `known` is the identity of the image that KNOWN positions refer to.
    """
    digest = hashlib.blake2b(digest_size=16)
    for state, reference in positions:
        source = known if state is TokenState.KNOWN else group_id
        digest.update(f"{int(state)}:{source}:{reference};".encode())
    return digest.hexdigest()


def bytes_digest(group_id: int, *parts: bytes | None) -> str:
    """The same for schemes that send bytes: 32 hex digits over the group and the bytes of every part."""
    digest = hashlib.blake2b(f"{group_id};".encode(), digest_size=16)
    for part in parts:
        digest.update(b"-" if part is None else len(part).to_bytes(4, "big") + part)
    return digest.hexdigest()
