"""Channel encoder and decoder: exact power, symbols as pairs of reals, noise as documented."""

import numpy as np
import pytest
import torch

from shared.semantic.codec import (
    ChannelCodec,
    ChannelDecoder,
    from_symbols,
    normalise_power,
    to_symbols,
)


@pytest.mark.parametrize("stream", ["public", "private"])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_every_token_has_exactly_unit_average_power(stream: str, scale: float) -> None:
    torch.manual_seed(0)
    codec = ChannelCodec(32, 7)
    symbols = to_symbols(codec.encoders[stream](scale * torch.randn(50, 32)))
    assert symbols.shape == (50, 7)
    assert symbols.dtype == np.complex64
    np.testing.assert_allclose((np.abs(symbols.astype(np.complex128)) ** 2).sum(1), 7.0, rtol=1e-6)


def test_a_code_of_stream_power_keeps_what_the_encoder_gave() -> None:
    torch.manual_seed(0)
    codec = ChannelCodec(32, 7, "stream")
    codec.encoders["public"].linear.bias.data.zero_()
    tokens = torch.randn(5, 32)
    small, large = (to_symbols(codec.encoders["public"](scale * tokens)) for scale in (1.0, 3.0))
    np.testing.assert_allclose(large, 3 * small, rtol=1e-4, atol=1e-5)


def test_a_code_of_stream_power_is_decoded_with_the_wiener_gain_of_each_value() -> None:
    """E x^2 = P a real value, noise N0/2: the LMMSE gain is P / (P + N0/2), and 0 for infinite noise."""
    torch.manual_seed(0)
    decoder, reals = ChannelDecoder(6, 2, "stream"), torch.randn(3, 4)
    decoder.log_power_R.data = torch.tensor([2.0, 1.0, 0.5, 0.25]).log()
    noise_NU = torch.tensor([[1.0, torch.inf]]).expand(3, 2)
    gain = torch.tensor([2 / 2.5, 1 / 1.5, 0.0, 0.0])
    torch.testing.assert_close(decoder(reals, noise_NU), decoder.linear(reals * gain))  # noise_D begins at 0


def test_a_zero_token_does_not_divide_by_zero() -> None:
    assert torch.isfinite(normalise_power(torch.zeros(2, 8))).all()


def test_symbols_and_reals_are_the_same_numbers() -> None:
    reals = torch.randn(3, 10)
    symbols = to_symbols(reals)
    assert symbols[1, 2] == complex(reals[1, 4], reals[1, 5])
    torch.testing.assert_close(from_symbols(symbols), reals)


def test_decoder_is_linear_behind_the_lmmse_gain() -> None:
    torch.manual_seed(0)
    decoder, reals = ChannelDecoder(6, 4), torch.randn(3, 8)
    clean, noisy = decoder(reals, torch.zeros(3)), decoder(2.0 * reals, torch.ones(3))
    torch.testing.assert_close(clean, noisy)
