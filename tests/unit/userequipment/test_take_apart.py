"""Sums of frames through the air, at a UE that has all but one of them."""

from dataclasses import replace

import numpy as np
import pytest

from basestation.added_up import Adding
from channel_emulator.air import Air as Emulated
from channel_emulator.air import open_frame
from shared.air.carry import carried
from shared.config import ChannelConfig, RunConfig
from shared.wire.messages import SymbolFrame
from userequipment.channel_decode import Air
from userequipment.take_apart import equalise_all

TOKENS, USES = 16, 14
USER = 0


def config(model: str = "rayleigh", snr_db: float = 15.0) -> RunConfig:
    return RunConfig(channel=ChannelConfig(model=model, csi="pilots", snr_db=snr_db, coherence_uses=4_096))


def sent_frame(run: RunConfig, number: int, tokens: int = TOKENS) -> tuple[SymbolFrame, np.ndarray]:
    rng = np.random.default_rng(number)
    body_U = (rng.standard_normal((tokens * USES, 2)) @ [1.0, 1.0j] / 2**0.5).astype(np.complex64)
    frame = SymbolFrame(
        stream="public", users=(USER,), group_id=0, frame_id=number, attempt=0, first_token=TOKENS * number,
        n_tokens=tokens, uses_per_token=USES, first_use=10_000 * number, **carried(run.channel, body_U),
    )  # fmt: skip
    return frame, body_U


def heard(run: RunConfig, *frames: SymbolFrame) -> list[SymbolFrame]:
    air = Emulated(run)
    return [air.receive(open_frame(frame), USER) for frame in frames]


@pytest.mark.parametrize("model", ["awgn", "rayleigh"])
@pytest.mark.parametrize("frames", [2, 3])
def test_what_is_lacking_comes_out_with_the_noise_that_it_says(model: str, frames: int) -> None:
    """Over many frames: errors over the variances that are told have mean square 1."""
    run = config(model)
    errors = []
    for trial in range(40):
        made = [sent_frame(run, frames * trial + i, TOKENS - i) for i in range(frames)]
        alone = [frame for frame, _ in made]
        added = replace(Adding(run).add(alone), attempt=1, first_use=alone[0].first_use + 500_000)
        lacking = trial % frames
        *others, sum_heard = heard(run, *(f for i, f in enumerate(alone) if i != lacking), added)
        copies = {frame.frame_id: (frame,) for frame in others} | {alone[lacking].frame_id: (sum_heard,)}
        found = equalise_all(copies, Air(run.channel, run.channel.snr_db_of(USER)))
        tokens = found[alone[lacking].frame_id]
        first = alone[lacking].first_token
        assert sorted(tokens) == list(range(first, first + alone[lacking].n_tokens))
        came_U = np.concatenate([tokens[place].symbols_U for place in sorted(tokens)])
        noise_U = np.concatenate([tokens[place].noise_variance_U for place in sorted(tokens)])
        errors.append(np.abs(came_U - made[lacking][1]) ** 2 / noise_U)
        if model == "awgn":
            level = 10.0 ** (-run.channel.snr_db_of(USER) / 10.0)
            assert np.max(noise_U) == pytest.approx((2 * frames - 1) * level, rel=1e-4)
    assert np.mean(np.concatenate(errors)) == pytest.approx(1.0, abs=0.15)


def test_a_chain_of_sums_is_taken_apart_from_its_end() -> None:
    run = config("awgn", 60.0)
    made = [sent_frame(run, i) for i in range(3)]
    (one, _), (two, two_U), (three, three_U) = made
    adding = Adding(run)
    first, second = (replace(adding.add(pair), attempt=1) for pair in ((one, two), (two, three)))
    came, sum_1, sum_2 = heard(run, one, first, second)
    found = equalise_all({2: (sum_2,), 1: (sum_1,), 0: (came,)}, Air(run.channel, 60.0))
    for number, body_U in ((1, two_U), (2, three_U)):
        came_U = np.concatenate([token.symbols_U for token in found[number].values()])
        np.testing.assert_allclose(came_U, body_U, atol=0.03)


def test_a_sum_of_what_cannot_be_read_or_is_another_frame_is_lost() -> None:
    run = config("awgn")
    (one, _), (two, _) = sent_frame(run, 0), sent_frame(run, 1)
    added = replace(Adding(run).add((one, two)), attempt=1)
    came, sum_heard = heard(run, one, added)
    air = Air(run.channel, 15.0)
    assert set(equalise_all({0: (came,), 1: (sum_heard,)}, air)) == {0, 1}
    assert set(equalise_all({1: (sum_heard,)}, air)) == set()
    assert set(equalise_all({0: (replace(came, payload=b""),), 1: (sum_heard,)}, air)) == set()
    assert set(equalise_all({0: (came,), 1: (replace(sum_heard, payload=b""),)}, air)) == {0}
    longer = replace(sum_heard, added=((1, TOKENS, TOKENS + 1),))
    assert set(equalise_all({0: (came,), 1: (longer,)}, air)) == {0}
    elsewhere = replace(came, first_token=3)
    assert set(equalise_all({0: (elsewhere,), 1: (sum_heard,)}, air)) == {0}
