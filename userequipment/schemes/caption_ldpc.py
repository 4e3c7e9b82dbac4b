"""The scene as text, at a UE: its own model answers from those words, in front of the question.

Nothing was trained for that. A caption is the scene's text itself.
"""

from dataclasses import replace

from shared.semantic.bundle import Bundle
from shared.semantic.whole import Prompt
from shared.spec import RoleSpec
from shared.starting import load_bundle
from userequipment.byte_pipeline import Arrived, BytePipeline, Said, Unanswerable, question_of, text_of
from userequipment.half import Questions
from userequipment.local_answers import LocalModel


def receiver_half(spec: RoleSpec, questions: Questions) -> BytePipeline:
    """Raises `BundleError`."""
    bundle = load_bundle(spec.config.bundle)
    local = LocalModel(spec.config, bundle)
    scheme = _Scenes(local, bundle)
    return BytePipeline(spec.config, bundle.fingerprint, scheme, local.model.prompts, questions)


class _Scenes:
    def __init__(self, local: LocalModel, bundle: Bundle) -> None:
        self._local = local
        self._texts = bundle.text_codec

    def warm_up(self) -> None:
        self._local.warm_up()

    def answer(self, arrived: Arrived) -> Said:
        """Raises `Unanswerable`."""
        scene = "" if arrived.content is None else text_of(arrived.content, self._texts)
        if arrived.task == "caption":
            if arrived.content is None:
                raise Unanswerable("content lost: it is the answer")
            return Said([scene], [None])
        own = arrived.questions is None
        asked = [question_of(arrived, self._texts)] if arrived.questions is None else arrived.questions
        said = [self._one(arrived, scene, question) for question in asked]
        return Said(
            [one.texts[0] for one in said],
            [one.controls[0] for one in said],
            said[0].token_ids if own else (),
        )

    def _one(self, arrived: Arrived, scene: str, question: str) -> Said:
        prompt = Prompt(arrived.task, f"{scene} {question}".strip())
        blind = replace(prompt, text=question) if arrived.has_content else None
        return self._local.answers(prompt, None, blind)
