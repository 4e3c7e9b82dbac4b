"""The reasoning trace that a model writes before its answer about an image.

A trace names, step by step, the objects that the question is about, as the image patches that hold their
centres: `@17 ; @3 @40 = 2` reads 'the object at patch 17; then, of those that matter, the ones at 3 and 40;
so the answer is 2'. What follows the equals sign is the answer; a model that is made to begin with the
equals sign answers without a trace. In a caption, the patch of an object precedes its description. The UE
generates all of this by itself, so it costs no air, and shows people the answer alone.
"""

import re
from typing import Final

NONE: Final = "@none"
"""An empty set of objects."""
NEXT: Final = ";"
"""The next step of the trace follows."""
ANSWER: Final = "="
"""The answer follows."""


def pointer(patch: int) -> str:
    """The word for an image patch, numbered row by row from the top left."""
    return f"@{patch}"


def trace_words(patches: int) -> list[str]:
    """All words of a trace, each of which a tokenizer should hold as one token."""
    return [*(pointer(patch) for patch in range(patches)), NONE, NEXT, ANSWER]


def named_patches(text: str) -> tuple[int, ...]:
    """The patches that a generated text names, each once, in its order."""
    return tuple(dict.fromkeys(int(patch) for patch in re.findall(r"@(\d+)", text)))


def split_trace(text: str) -> tuple[str, str]:
    """(trace, answer) of a generated text; without an equals sign all but the patches is the answer."""
    trace, _, answer = text.rpartition(ANSWER)
    return " ".join(trace.split()), " ".join(re.sub(r"@\w+", " ", answer).split())
