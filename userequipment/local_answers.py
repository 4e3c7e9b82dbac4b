"""Answers by this UE's own whole model, and the run's control beside them."""

from collections.abc import Sequence

import numpy as np

from shared.config import RunConfig
from shared.semantic.bundle import Bundle
from shared.semantic.whole import Prompt, WholeModel
from shared.starting import pick_device
from userequipment.byte_pipeline import Said, Unanswerable

_WARM_UP_PIXELS = 32


class LocalModel:
    """The run's limits and its control, on a whole model."""

    def __init__(self, config: RunConfig, bundle: Bundle) -> None:
        self._config = config
        self.model = WholeModel(bundle, config.split_layer, pick_device(config.device), config.baseline.codec)

    def warm_up(self) -> None:
        """One answer that nobody asked for."""
        picture = np.zeros((_WARM_UP_PIXELS, _WARM_UP_PIXELS, 3), np.uint8)
        self.model.answer(Prompt("vqa", "how many", picture), max_new_tokens=2)

    def answers(
        self,
        prompt: Prompt,
        questions: Sequence[str] | None,
        blind: Prompt | None,
        missing: str = "",
    ) -> Said:
        """To each question, or (None) to the prompt's own text. `blind`: what the control is given instead.

        Raises `Unanswerable` for a prompt that the model does not accept.
        """
        try:
            return self._answers(prompt, questions, blind, missing)
        except ValueError as error:
            raise Unanswerable(f"bad_input: {error}") from None

    def _answers(
        self, prompt: Prompt, questions: Sequence[str] | None, blind: Prompt | None, missing: str
    ) -> Said:
        said = self._ask(prompt, questions, erased=False)
        controls: list[str | None] = [None] * len(said)
        if blind is not None and self._config.control == "image_erased":
            controls = [text for text, _ in self._ask(blind, questions, erased=True)]
        return Said([text for text, _ in said], controls, said[0][1], missing)

    def _ask(
        self, prompt: Prompt, questions: Sequence[str] | None, erased: bool
    ) -> list[tuple[str, list[int]]]:
        trace, most = self._config.reasoning, self._config.max_new_tokens
        if questions is None:
            found = [self.model.answer(prompt, trace, most, erased)]
        else:
            found = self.model.answer_each(prompt, questions, trace, most, erased)
        return [(answer.text, answer.token_ids) for answer in found]
