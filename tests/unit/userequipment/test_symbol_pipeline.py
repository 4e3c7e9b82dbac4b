"""Parts of analog symbols at a UE: every token in its place, what is lost as zeros, bad maps refused."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from basestation.encode import AdmittedRequest
from basestation.symbol_plan import Parts, SymbolPipeline, Symbols
from shared import parts_map
from shared.air.side_info import on_air
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.parts_map import Part, PartsMap
from shared.wire.messages import SideInfo, SymbolFrame
from tests.unit.shared.deepsc.tiny import VQA
from userequipment.channel_decode import Air
from userequipment.symbol_pipeline import Heard, Sizes
from userequipment.symbol_pipeline import SymbolPipeline as Receiver

PATCHES, USES, WORD_USES, WORDS = 100, 8, 4, 7
CONFIG = parse_config(
    {
        "scheme": "deepsc_vqa",
        "users": 2,
        "control": "image_erased",
        "channel": {"model": "ideal", "sample_format": "cf32"},
    },
    "test",
)


class Listener:
    """Answers with what it can say of the parts that it is given."""

    sizes = Sizes(WORD_USES, VQA.text_tokens, PATCHES, USES)

    def __init__(self) -> None:
        self.heard: list[tuple[Heard | None, Heard]] = []

    def answer(self, content: Heard | None, text: Heard) -> str:
        self.heard.append((content, text))
        return "heard"

    def warm_up(self) -> None:
        """Nothing is slow here."""


def drawn(seed: int, tokens: int, uses: int) -> np.ndarray:
    symbols: np.ndarray = np.random.default_rng(seed).standard_normal((tokens, uses, 2)) @ [1, 1j]
    return symbols.astype(np.complex64)


IMAGE_NU, TEXT_NU = drawn(0, PATCHES, USES), drawn(1, WORDS, WORD_USES)


def sent(
    config: RunConfig = CONFIG, users: int = 1
) -> tuple[list[SymbolFrame], dict[str, SideInfo], dict[str, str]]:
    requests = [AdmittedRequest(f"r{u}", u, "vqa", "how", None, None) for u in range(users)]
    parts = {f"r{u}": Parts(Symbols("image", IMAGE_NU), Symbols(("text", u), TEXT_NU)) for u in range(users)}
    plan = SymbolPipeline(config, "f", lambda _: parts).run(3, requests)
    return list(plan.frames), plan.side, plan.digests


def received(frames: list[SymbolFrame]) -> dict[int, list[SymbolFrame]]:
    return {f.frame_id: [f] for f in frames}


def test_all_arrives_in_its_place_at_unit_power_and_both_ends_agree_on_it() -> None:
    frames, side, digests = sent(users=2)
    assert {f.users for f in frames if f.stream == "public"} == {(0, 1)}
    for name, user in (("r0", 0), ("r1", 1)):
        listener = Listener()
        mine = received([f for f in frames if user in f.users])
        result = Receiver(CONFIG, "f", listener).run(side[name], mine, Air(CONFIG.channel, 10.0))
        assert (result.status, result.text, result.digest) == ("ok", "heard", digests[name])
        assert result.sent_tokens == PATCHES + WORDS
        content, text = listener.heard[0]
        assert content is not None
        for heard, made in ((content.symbols_NU, IMAGE_NU), (text.symbols_NU, TEXT_NU)):
            assert np.sum(np.abs(heard) ** 2) == pytest.approx(heard.size, rel=1e-4)
            assert np.allclose(heard / heard[0, 0], made / made[0, 0], rtol=1e-3)
        assert not content.noise_variance_NU.any()


def test_lost_tokens_are_zeros_of_infinite_noise_and_the_answer_is_degraded() -> None:
    frames, side, _ = sent()
    lost = next(f for f in frames if f.n_tokens > WORDS)
    listener = Listener()
    left = received([f for f in frames if f is not lost])
    result = Receiver(CONFIG, "f", listener).run(side["r0"], left, Air(CONFIG.channel, 10.0))
    assert (result.status, result.erased_tokens) == ("degraded", lost.n_tokens)
    assert result.reason == f"{lost.n_tokens} tokens lost"
    content = listener.heard[0][0]
    assert content is not None
    places = slice(lost.first_token, lost.first_token + lost.n_tokens)
    assert not content.symbols_NU[places].any()
    assert np.isinf(content.noise_variance_NU[places]).all()
    assert np.count_nonzero(content.symbols_NU.any(1)) == PATCHES - lost.n_tokens


def test_the_control_has_the_text_and_nothing_of_the_image() -> None:
    frames, side, _ = sent()
    listener = Listener()
    Receiver(CONFIG, "f", listener).run(side["r0"], received(frames), Air(CONFIG.channel, 10.0))
    (_, text), (content, again) = listener.heard
    assert content is not None
    assert not content.symbols_NU.any()
    assert content.lost == PATCHES
    assert again is text


def with_map(side: SideInfo, request: PartsMap) -> SideInfo:
    payload, n_bits = parts_map.encode(request)
    fields = on_air(CONFIG.channel, 10.0, payload, n_bits)
    return replace(side, payload=fields["payload"])


@pytest.mark.parametrize(
    ("request_map", "said"),
    [
        (PartsMap("vqa", content=Part(True, PATCHES * USES)), "there is no text"),
        (PartsMap("vqa", text=Part(True, WORD_USES * WORDS + 1)), "a text of 29 channel uses"),
        (PartsMap("vqa", text=Part(True, 2**20)), "a text of 1048576 channel uses"),
        (
            PartsMap("vqa", content=Part(True, 150), text=Part(True, WORD_USES)),
            "an image of 150 channel uses",
        ),
        (
            PartsMap("vqa", content=Part(True, 900), text=Part(True, WORD_USES)),
            "an image of 900 channel uses",
        ),
        (PartsMap("vqa", text=Part(False, WORD_USES * WORDS)), "the frames that the message names"),
        (PartsMap("vqa", text=Part(True, WORD_USES * WORDS)), "the frames that the message names"),
        (PartsMap("vqa", True, text=Part(True, WORD_USES)), "the question is asked here"),
    ],
)
def test_a_map_that_fits_no_part_is_a_failure_in_words(request_map: PartsMap, said: str) -> None:
    frames, side, _ = sent()
    pipeline = Receiver(CONFIG, "f", Listener())
    result = pipeline.run(with_map(side["r0"], request_map), received(frames), Air(CONFIG.channel, 10.0))
    assert result.status == "failed"
    assert result.reason.startswith(f"bad_parts_map: {said}")


def test_a_frame_with_other_channel_uses_or_of_another_stream_is_lost() -> None:
    frames, side, _ = sent()
    changes: list[Callable[[SymbolFrame], SymbolFrame]] = [
        lambda f: replace(f, stream="public" if f.stream == "private" else "private"),
        lambda f: replace(f, n_tokens=f.n_tokens * 2, uses_per_token=f.uses_per_token // 2),
        lambda f: replace(f, payload=bytes(f.payload)[:-8]),
    ]
    for change in changes:
        strange = received([change(frames[0]), *frames[1:]])
        result = Receiver(CONFIG, "f", Listener()).run(side["r0"], strange, Air(CONFIG.channel, 10.0))
        assert (result.status, result.erased_tokens) == ("degraded", frames[0].n_tokens)
