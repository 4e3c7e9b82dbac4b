"""The receiver half of a scheme: what a UE's process asks of one.

A scheme names a function of this kind (`shared.schemes.Scheme.receiver`). It raises ValueError or OSError,
one line, where the half cannot be made of what the run names: the process then refuses to start.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from shared.schemes import half, scheme_of
from shared.spec import RoleSpec
from userequipment.role import Pipeline


class ReceiverHalf(Pipeline, Protocol):
    """A pipeline, the fingerprint of the bundle that both ends must have, and what makes it warm."""

    @property
    def fingerprint(self) -> str: ...

    def warm_up(self, snr_db: float) -> None:
        """Work that nobody asked for, at the user's SNR: the first of each kind is the slow one."""


Questions = Mapping[int, tuple[str, ...]]
"""Those that the user asks here, by workload index."""
MakeReceiver = Callable[[RoleSpec, Questions], ReceiverHalf]


def make_receiver(spec: RoleSpec, questions: Questions) -> ReceiverHalf:
    """That of the run's scheme. Raises what its function raises."""
    make: MakeReceiver = half(scheme_of(spec.config.scheme).receiver)
    return make(spec, questions)
