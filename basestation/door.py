"""The door: whether a request may come in. Images are judged later, off the loop (`group_job`)."""

from shared.config import LimitsConfig
from shared.wire.messages import TASKS

IMAGE_TASKS = ("vqa", "caption")
TEXT_TASKS = ("vqa", "text_classification")


class Door:
    """Reasons are short and stable: they end up in the journal."""

    def __init__(self, users: int, limits: LimitsConfig, tasks: tuple[str, ...] = TASKS) -> None:
        """`tasks`: those that the run's scheme serves."""
        self._tasks = tasks
        self._users = users
        self._limits = limits

    def refusal(
        self,
        user: int,
        task: str,
        text: str,
        image: bytes | None,
        open_requests: int,
        reachable: bool,
        question_at_ue: bool = False,
    ) -> str | None:
        """Why not, or None. `reachable`: the user is attached, or has been away for a moment only."""
        if not 0 <= user < self._users:
            return "no_user"
        if task not in self._tasks:
            return f"bad_input: task: {task[:40]!a} is none of {', '.join(self._tasks)}"
        if image is None and task in IMAGE_TASKS:
            return f"bad_input: image: {task} needs one"
        if not text and task in TEXT_TASKS and not question_at_ue:
            return f"bad_input: text: {task} needs one"
        if len(text) > self._limits.text_chars:
            return f"bad_input: text: {len(text)} characters, at most {self._limits.text_chars}"
        if any("\ud800" <= c <= "\udfff" for c in text):
            return "bad_input: text: not Unicode (a lone surrogate)"
        if not reachable:
            return "no_user"
        if open_requests >= self._limits.open_requests:
            return "busy"
        return None
