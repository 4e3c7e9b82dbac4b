"""Sionna's 5G LDPC decoder, which ends as soon as it has found code words.

Importing this loads Sionna, which takes seconds: only who codes does.

Shapes: B blocks, V variable nodes.
"""

from typing import Any

import numpy as np
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder
from torch import Tensor


class StoppingDecoder(LDPC5GDecoder):
    """Belief propagation for at most `num_iter` iterations, on the CPU; none once all parity checks hold.

    Blocks whose checks hold are code words, and stay the same ones: further iterations only make their
    beliefs firmer. Above a code's threshold a few iterations do.

    Sionna has no place of its own for this, so one of its private methods is extended: a test that counts
    iterations fails where another version names it otherwise.
    """

    def __init__(self, encoder: LDPC5GEncoder, **options: Any) -> None:
        super().__init__(encoder, device="cpu", **options)
        self._checks = self.pcm.tocsr().astype(np.float32)

    def _bp_iter(
        self, msg_v2c: Tensor, msg_c2v: Tensor, llr_ch: Tensor, x_hat_BV: Tensor, it: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """One iteration of Sionna's, or what the last one left."""
        if it and self._are_code_words(x_hat_BV):
            return msg_v2c, msg_c2v, x_hat_BV
        after: tuple[Tensor, Tensor, Tensor] = super()._bp_iter(msg_v2c, msg_c2v, llr_ch, x_hat_BV, it)
        return after

    def _are_code_words(self, x_hat_BV: Tensor) -> bool:
        """`x_hat_BV`: log p(0) - log p(1) of every bit."""
        bits_VB = (x_hat_BV.numpy().T <= 0.0).astype(np.float32)
        return not np.any(self._checks @ bits_VB % 2.0)
