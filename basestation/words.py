"""A text as the symbols of its words, for schemes with DeepSC's text encoder; equal texts are encoded once.

Texts are encoded one by one, so that their symbols do not depend on what else is in a group.
"""

from collections import OrderedDict
from typing import Final

import torch

from basestation.symbol_plan import Symbols
from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.text import TextSender
from shared.semantic.codec import to_symbols

REMEMBERED: Final = 256


class WordSender:
    """Remembers the last `REMEMBERED` texts."""

    def __init__(self, bundle: DeepscBundle, sender: TextSender) -> None:
        self._bundle = bundle
        self._sender = sender
        self._coded: OrderedDict[str, Symbols] = OrderedDict()

    @torch.inference_mode()
    def part(self, text: str) -> Symbols:
        """Raises ValueError for a text without words, or with too many."""
        if text not in self._coded:
            ids_1T = torch.tensor([self._bundle.words(text)], device=self._sender.embed.weight.device)
            reals_TR = self._sender(ids_1T, torch.ones_like(ids_1T, dtype=torch.bool))[0]
            self._coded[text] = Symbols(("text", text), to_symbols(reals_TR))
            while len(self._coded) > REMEMBERED:
                self._coded.popitem(last=False)
        self._coded.move_to_end(text)
        return self._coded[text]
