"""What each UE keeps of the images it was sent, as far as the base station knows.

    sent with a slot --answer says 'kept'--> known
                     --any other end--> nothing is known of the slot

An image under way is referred to as well: the way to a UE keeps the order, so the image is there first,
unless some of it was lost. A slot is used again when its image was not referred to for longest. A new process
of a UE has nothing. Where the UE has something else or nothing, it says so, and the image is sent after all.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from shared.semantic_cache import SLOTS, VERSIONS, KnownImage, Slot, identity_of


@dataclass(frozen=True, slots=True)
class _Sent:
    """An image under way with a request."""

    user: int
    image_key: str
    group_id: int
    image: KnownImage


@dataclass(slots=True)
class _User:
    """`known` by image, least recently referred to first."""

    known: OrderedDict[str, KnownImage] = field(default_factory=OrderedDict)
    incarnation: int | None = None


class CacheBook:
    """Of all users; at most `images` each, none where it is 0."""

    def __init__(self, images: int, first_version: int = 0) -> None:
        self._images = min(images, SLOTS)
        self._users: dict[int, _User] = {}
        self._sent: dict[str, _Sent] = {}
        self._next_version = first_version % VERSIONS

    def attached(self, user: int, incarnation: int) -> None:
        """A UE is there: another process than before has nothing."""
        entry = self._users.setdefault(user, _User())
        if entry.incarnation != incarnation:
            entry.incarnation = incarnation
            entry.known.clear()
            for name in [n for n, sent in self._sent.items() if sent.user == user]:
                del self._sent[name]

    def find(self, user: int, image_key: str, group_id: int) -> KnownImage | None:
        """The image, where the UE has it, or is being sent it in an earlier group than this one."""
        entry = self._users.setdefault(user, _User())
        if image_key in entry.known:
            entry.known.move_to_end(image_key)
            return entry.known[image_key]
        sent = self._under_way(user, image_key)
        return sent.image if sent is not None and sent.group_id != group_id else None

    def allot(self, user: int, image_key: str, request_id: str, group_id: int) -> Slot | None:
        """Where the UE is to keep an image; None where that is under way already, or no slot is free."""
        if self._under_way(user, image_key) is not None:
            return None
        entry = self._users.setdefault(user, _User())
        taken = {sent.image.slot.number for sent in self._sent.values() if sent.user == user}
        held = {known.slot.number for known in entry.known.values()}
        free = next((n for n in range(self._images) if n not in taken | held), None)
        if free is None:
            oldest = next((key for key, k in entry.known.items() if k.slot.number not in taken), None)
            if oldest is None:
                return None
            free = entry.known.pop(oldest).slot.number
        slot = Slot(free, self._next_version)
        self._next_version = (self._next_version + 1) % VERSIONS
        image = KnownImage(slot, identity_of(group_id, request_id))
        self._sent[request_id] = _Sent(user, image_key, group_id, image)
        return slot

    def ended(self, request_id: str, kept: bool) -> None:
        """A request came to its end, however it did; its UE has `kept` its image, or said nothing of it."""
        sent = self._sent.pop(request_id, None)
        if sent is not None and kept:
            self._users[sent.user].known[sent.image_key] = sent.image

    def missed(self, user: int, image: KnownImage) -> None:
        """The UE has not what was referred to: it is not referred to again."""
        known = self._users.setdefault(user, _User()).known
        for key in [key for key, own in known.items() if own == image]:
            del known[key]
        for name in [n for n, sent in self._sent.items() if sent.user == user and sent.image == image]:
            del self._sent[name]

    def _under_way(self, user: int, image_key: str) -> _Sent | None:
        return next((s for s in self._sent.values() if (s.user, s.image_key) == (user, image_key)), None)
