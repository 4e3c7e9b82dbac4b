"""The prompt [BOS][image][instruction][text] and its position ids, fixed per segment.

The instruction starts after the full image length whether there is an image or not, so a token's position
id depends on nothing but its segment and its place in it; the answer continues after the text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from shared.semantic.config import TASKS, SemanticConfig
from shared.semantic.tokenizer import TextCodec


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the segments start, for one task."""

    image_tokens: int
    instruction_ids: tuple[int, ...]

    @property
    def image(self) -> range:
        return range(1, 1 + self.image_tokens)

    @property
    def instruction(self) -> range:
        return range(self.image.stop, self.image.stop + len(self.instruction_ids))

    def text(self, tokens: int) -> range:
        return range(self.instruction.stop, self.instruction.stop + tokens)


class Prompts:
    """Layouts of all tasks, and the checks on what goes into them."""

    def __init__(self, config: SemanticConfig, text_codec: TextCodec) -> None:
        self._config = config
        self._text_codec = text_codec
        self.layouts = {
            task: Layout(config.image_tokens, tuple(text_codec.encode(config.instructions[task])))
            for task in TASKS
        }

    def layout(self, task: str) -> Layout:
        """Raises ValueError for a task that does not exist."""
        if task not in self.layouts:
            raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {task!r}")
        return self.layouts[task]

    @property
    def text_limit(self) -> int:
        """The longest text, in tokens."""
        return self._config.limits.text_tokens

    def text_ids(self, text: str) -> list[int]:
        """Token ids of a user's text. Raises ValueError when it is too long."""
        ids = self._text_codec.encode(text)
        if len(ids) > self.text_limit:
            raise ValueError(f"text: {len(ids)} tokens, at most {self.text_limit} are accepted")
        return ids

    def fit(self, text: str) -> str:
        """A text cut to what is accepted: its beginning and its end, each half of it."""
        return self._text_codec.shorten(text, self.text_limit)

    def max_new_tokens(self, task: str) -> int:
        self.layout(task)
        return self._config.limits.new_tokens[task]


def text_fitter(folder: Path) -> Callable[[str], str]:
    """Cuts a text to what the bundle in a folder accepts. Raises `BundleError`."""
    from shared.semantic.bundle import Bundle  # which needs the whole model, and this module does not

    bundle = Bundle.load(folder)
    return Prompts(bundle.config, bundle.text_codec).fit
