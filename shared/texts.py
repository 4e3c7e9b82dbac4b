"""Texts as few bytes by a bundle's tokenizer (`text_code`): both ends of a scheme that sends text."""

from shared import text_code
from shared.semantic.tokenizer import TextCodec
from shared.wire.fields import MAX_TEXT_CHARS


def pack(text: str, codec: TextCodec) -> bytes:
    """A text for a reader who sees it as the model does: by its token ids, where these survive."""
    ids = codec.encode(text)
    survives = codec.encode(codec.decode(ids)) == ids
    return text_code.encode(text, ids if survives else None, codec.vocab_size)


def unpack(data: bytes, codec: TextCodec) -> str:
    """A text with the same token ids as the one that was packed. Raises `TextCodeError`."""
    coded = text_code.decode(data, codec.vocab_size, MAX_TEXT_CHARS)
    return codec.decode(coded.token_ids) if coded.text is None else coded.text
