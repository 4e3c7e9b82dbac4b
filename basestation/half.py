"""The sender half of a scheme: what the base station's process asks of one.

A scheme names a function of this kind (`shared.schemes.Scheme.sender`). It raises ValueError or OSError, one
line, where the half cannot be made of what the run names: the process then refuses to start.
"""

from collections.abc import Callable
from typing import Protocol

from basestation.group_job import Pipeline
from shared.schemes import half, scheme_of
from shared.spec import RoleSpec


class SenderHalf(Pipeline, Protocol):
    """A pipeline, and the fingerprint of the bundle that both ends must have."""

    @property
    def fingerprint(self) -> str: ...


MakeSender = Callable[[RoleSpec], SenderHalf]


def make_sender(spec: RoleSpec) -> SenderHalf:
    """That of the run's scheme. Raises what its function raises."""
    make: MakeSender = half(scheme_of(spec.config.scheme).sender)
    return make(spec)
