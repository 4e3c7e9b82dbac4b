"""The whole model at the base station, for schemes that send its words: equal inputs are answered once."""

from collections import OrderedDict
from typing import Final

from basestation.encode import AdmittedRequest
from shared.config import RunConfig
from shared.semantic.bundle import Bundle
from shared.semantic.whole import Prompt, WholeModel
from shared.starting import pick_device

REMEMBERED: Final = 256

_Key = tuple[str, str, str | None]


class Speaker:
    """Its answers, the last `REMEMBERED` of which it need not think about again."""

    def __init__(self, config: RunConfig, bundle: Bundle) -> None:
        self._config = config
        self._model = WholeModel(
            bundle, config.split_layer, pick_device(config.device), config.baseline.codec
        )
        self.prompts = self._model.prompts
        self._said: OrderedDict[_Key, str] = OrderedDict()

    def say(self, task: str, text: str, request: AdmittedRequest) -> str:
        """The answer to a task on a text and the request's picture. Raises ValueError, one line."""
        key = task, text, request.image_key
        if key in self._said:
            self._said.move_to_end(key)
            return self._said[key]
        config = self._config
        picture = None if request.image is None else request.picture(config.limits)
        prompt = Prompt(task, text, picture)
        said = self._model.answer(prompt, config.reasoning, config.max_new_tokens).text
        self._said[key] = said
        while len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return said
