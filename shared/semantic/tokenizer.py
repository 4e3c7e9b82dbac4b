"""The tokenizer: byte-pair encoding, read from a bundle's `tokenizer.json`."""

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

PAD, EOS, BOS, UNKNOWN = "<pad>", "<eos>", "<bos>", "<unk>"
SPECIAL = (PAD, EOS, BOS, UNKNOWN)


class TextCodec:
    """Text to token ids and back; special tokens never come from a user's text."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.tokenizer.encode_special_tokens = True

    @classmethod
    def from_file(cls, path: Path) -> "TextCodec":
        return cls(Tokenizer.from_file(str(path)))

    @classmethod
    def from_text(cls, text: str) -> "TextCodec":
        """From the content of a `tokenizer.json`."""
        return cls(Tokenizer.from_str(text))

    @property
    def vocab_size(self) -> int:
        return self.tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        """Ids without BOS or EOS."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def shorten(self, text: str, tokens: int) -> str:
        """A text of at most `tokens` tokens: what is too much is taken out of its middle."""
        offsets = self.tokenizer.encode(text, add_special_tokens=False).offsets
        kept = tokens
        while len(offsets) > tokens:
            end = offsets[kept // 2 - 1][1] if kept > 1 else 0
            shorter = f"{text[:end]} {text[offsets[len(offsets) - (kept - kept // 2)][0] :]}"
            if len(self.encode(shorter)) <= tokens:
                return shorter
            kept -= 1  # joined, the two parts may need another token
        return text

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text.strip()

    def to_transformers(self) -> PreTrainedTokenizerFast:
        """The same as a `transformers` tokenizer."""
        return PreTrainedTokenizerFast(
            tokenizer_object=self.tokenizer, pad_token=PAD, eos_token=EOS, bos_token=BOS, unk_token=UNKNOWN
        )
