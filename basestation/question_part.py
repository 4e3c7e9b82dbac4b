"""The question of a request as a part of its own, for schemes that leave the answering to the UE."""

from basestation.encode import AdmittedRequest
from shared.semantic.prompt import Prompts
from shared.semantic.tokenizer import TextCodec
from shared.texts import pack


def question_part(request: AdmittedRequest, prompts: Prompts, codec: TextCodec) -> bytes | None:
    """None where there is no text, or it is asked at the UE. Raises ValueError for one that is too long."""
    if request.questions_of is not None or not request.text:
        return None
    prompts.text_ids(request.text)
    return pack(request.text, codec)
