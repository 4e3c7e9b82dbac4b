"""Requests that an earlier process left open, made whole again: what was asked, and with which image."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from basestation.image_door import BadInput
from basestation.pending import PendingError, PendingStore, Question
from basestation.recovery import LeftOpen, Resume
from basestation.requests import RequestRecord, State, image_key_of
from basestation.workload_file import WorkloadRequest

TRIES = 2
"""Processes that one request may end by being encoded."""


@dataclass(frozen=True, slots=True)
class Reopened:
    """`fault`: why it cannot go on (None: it can). `suspect`: it may have ended the process before."""

    left: LeftOpen
    record: RequestRecord
    fault: str | None

    @property
    def suspect(self) -> bool:
        return self.left.encoder_deaths > 0

    @property
    def poison(self) -> bool:
        return self.left.alone and self.left.encoder_deaths >= TRIES


class Reopening:
    """`deadline_s`: how long a request may take, from when it was first admitted."""

    def __init__(
        self,
        workload: Sequence[WorkloadRequest],
        resume: Resume,
        load_image: Callable[[str], bytes],
        pending: PendingStore,
        deadline_s: float,
    ) -> None:
        lines = {left.index for left in resume.left_open}
        self._lines = {w.index: w for w in workload if w.index in lines}
        self._load_image = load_image
        self._pending = pending
        self._deadline_s = deadline_s

    def reopen(self, left: LeftOpen) -> Reopened:
        """From the workload's file, or from what was kept."""
        fault, asked, at_ue = None, Question(left.request_id, left.user, left.task, "", None), False
        try:
            if left.index is None:
                asked = self._pending.read(left.request_id)
            else:
                line = self._lines[left.index]
                image = None if line.image is None else self._load_image(line.image)
                asked = Question(left.request_id, line.user, line.task, line.text, image)
                at_ue = line.question_at_ue
        except KeyError:
            fault = f"not resumed: the workload has no line {left.index} any more"
        except (BadInput, PendingError) as error:
            fault = f"not resumed: {error}"
        if asked.user != left.user:
            fault = f"not resumed: it was asked by user {left.user}, not {asked.user}"
        record = RequestRecord(
            request_id=left.request_id,
            user=left.user,
            task=asked.task,
            text=asked.text,
            image=asked.image,
            image_key=image_key_of(asked.image),
            admitted_s=left.admitted_s,
            deadline_s=left.admitted_s + self._deadline_s,
            index=left.index,
            ask_id=left.ask_id,
            client_id=left.request_id if left.index is None and left.ask_id is None else None,
            question_at_ue=at_ue,
            state=State.RESUMED if left.sent else State.ENCODING,
            ue_deaths=left.ue_deaths,
        )
        return Reopened(left, record, fault)


def groups_of(reopened: Iterable[Reopened], max_group: int) -> Iterator[list[RequestRecord]]:
    """How to encode them: what was one group is one again, what was in none yet by arrival, suspects last.

    Each suspect is alone, so that the others go on whatever becomes of it.
    """
    together: dict[int | None, list[RequestRecord]] = {}
    alone: list[RequestRecord] = []
    for one in reopened:
        if one.suspect:
            alone.append(one.record)
        else:
            together.setdefault(one.left.group_id, []).append(one.record)
    for members in together.values():
        for start in range(0, len(members), max_group):
            yield members[start : start + max_group]
    for record in alone:
        yield [record]
