"""Which image tokens a question is about, by the base station's own answer to it.

Of `rate.selection: question`. The base station reasons as the UE will, with the whole model, and the patches
that its reasoning names are the tokens that are sent first. What is sent then depends on the question, and
may give the answer away.
"""

from collections import OrderedDict
from typing import Final

from torch import Tensor

from basestation.encode import AdmittedRequest
from shared.semantic.trace import named_patches
from shared.semantic.whole import WholeModel

REMEMBERED: Final = 256

_Key = tuple[str, str, str | None]


class Foresight:
    """The last `REMEMBERED` questions need no thinking about again."""

    def __init__(self, model: WholeModel) -> None:
        self._model = model
        self._named: OrderedDict[_Key, tuple[int, ...]] = OrderedDict()

    def __call__(self, request: AdmittedRequest, image_ND: Tensor, text_nD: Tensor) -> tuple[int, ...]:
        """Patches in the order in which they are named; none where the reasoning names none."""
        key = request.task, request.text, request.image_key
        if key in self._named:
            self._named.move_to_end(key)
            return self._named[key]
        named = self._named[key] = named_patches(self._model.words(request.task, image_ND, text_nD))
        while len(self._named) > REMEMBERED:
            self._named.popitem(last=False)
        return named
