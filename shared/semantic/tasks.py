"""The tasks. Each is named by an instruction that both ends know, so it costs no air.

The template is the paper's: Instruction (what to do), Input (what is given), Output (the form of the answer),
Metadata (the domain). The wording of a bundle is part of its configuration: `config.instructions`.
"""

from shared.semantic.config import INSTRUCTIONS, TASKS

__all__ = ["INSTRUCTIONS", "TASKS", "needs_image"]


def needs_image(task: str) -> bool:
    """Whether a request of this task is about a picture."""
    return task in ("vqa", "caption")
