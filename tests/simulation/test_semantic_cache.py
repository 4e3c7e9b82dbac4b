"""Images that UEs keep are referred to: over loss, restarts and lost caches never a wrong token."""

from typing import Any

import pytest

from basestation.pipeline import GroupPipeline
from basestation.process import warm_up as warm_up_sender
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.wire.messages import Answer, Feedback, SideInfo, SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, Lose, RandomMischief, workload
from tests.simulation.world import Mischief, World, no_mischief
from userequipment.image_cache import ImageCache
from userequipment.pipeline import RequestPipeline

N = 9
IMAGE_TOKENS, IMAGE_USES = 100, 13


class Caches(World):
    """With a real pipeline for each process of a UE."""

    def __init__(self, bundle: Bundle, mischief: Mischief = no_mischief, **changes: Any) -> None:
        settings: dict[str, Any] = {"users": 3, "max_group": 3, "cache": {"images": 4}, "max_new_tokens": 8}
        settings |= {"channel": {"snr_db": 15.0}, "rate": {"image_eighths": 7}}
        settings |= {"sharing": {"similar": "nowhere"}}
        config: RunConfig = parse_config({**settings, **changes}, "test")
        sender, receiver = SemanticSender(bundle), SemanticReceiver(bundle)
        pipeline = GroupPipeline(config, sender, clock=lambda: 0.0)
        warm_up_sender(pipeline)
        self.pipelines: list[RequestPipeline] = []

        def make() -> RequestPipeline:
            self.pipelines.append(RequestPipeline(config, receiver, clock=lambda: 0.0))
            return self.pipelines[-1]

        super().__init__(
            config, workload(N), images=IMAGES, mischief=mischief, sender=pipeline, make_receiver=make
        )

    def run_first_round(self) -> None:
        """Every user has an answer, and so an image."""
        self.command("bs", "start")
        self.run(60.0, until=lambda: len(self.events("ok")) >= 3)

    def forget_images(self) -> None:
        """What UEs keep is gone, and nobody has said so."""
        for pipeline in self.pipelines:
            pipeline._cache = ImageCache()

    def image_tokens_sent(self) -> int:
        """First transmissions, an image's private copies each; told from text by their channel uses."""
        frames = [m for _, n, m in self.sent if n == "bs" and isinstance(m, SymbolFrame) and not m.attempt]
        return sum(f.n_tokens for f in frames if f.uses_per_token == IMAGE_USES)


def test_the_second_question_about_an_image_costs_no_image(bundle: Bundle) -> None:
    world = Caches(bundle)
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    # Users 0 and 1 look at one image, user 2 at another: each is sent once, not once a round.
    assert world.image_tokens_sent() <= 2 * IMAGE_TOKENS
    frames = [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame | SideInfo)]
    groups = sorted({m.group_id for m in frames})
    uses = [sum(m.uses for m in frames if m.group_id == group) for group in groups]
    assert len(uses) == 3
    assert uses[1] < 0.35 * uses[0]  # questions and maps alone
    assert not world.events("cache_miss")


def test_without_a_cache_it_costs_it_again(bundle: Bundle) -> None:
    world = Caches(bundle, cache={"images": 0})
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    assert world.image_tokens_sent() > 4 * IMAGE_TOKENS


def test_a_cache_that_lost_its_images_says_so_and_is_sent_them(bundle: Bundle) -> None:
    world = Caches(bundle)

    world.run_first_round()
    world.forget_images()
    world.run(600.0, until=lambda: bool(world.told("workload_done")))
    assert check_invariants(world) == {"ok": N}
    missed = world.events("cache_miss")
    assert missed
    assert len({e["request_id"] for e in missed}) == len(missed), "sent once more, and then it is there"


@pytest.mark.parametrize("lost", [Feedback, SideInfo, Answer])
def test_a_lost_miss_or_map_or_answer_is_repeated(bundle: Bundle, lost: type) -> None:
    losing = Lose(lost, times=4, **({"cache_miss": True} if lost is Feedback else {}))
    world = Caches(bundle, losing)
    world.run_first_round()
    world.forget_images()
    world.run(600.0, until=lambda: bool(world.told("workload_done")))
    assert check_invariants(world) == {"ok": N}
    assert losing.left < 4, "nothing was lost"


@pytest.mark.parametrize("seed", range(3))
def test_over_loss_copies_and_delays_both_ends_agree(bundle: Bundle, seed: int) -> None:
    world = Caches(bundle, RandomMischief(seed, loss=0.2, copies=0.1, delays=0.2))
    world.run_workload()
    assert set(check_invariants(world)) <= {"ok", "degraded"}


def test_a_ue_that_restarts_has_an_empty_cache(bundle: Bundle) -> None:
    world = Caches(bundle)
    world.run_first_round()
    world.kill("ue:0")
    world.run(0.2)
    world.start("ue:0")
    world.run(600.0, until=lambda: bool(world.told("workload_done")))
    assert check_invariants(world) == {"ok": N}
    assert len(world.pipelines) == 4


def test_a_base_station_that_restarts_refers_to_nothing(bundle: Bundle) -> None:
    world = Caches(bundle)
    world.run_first_round()
    world.kill("bs")
    world.run(0.2)
    world.come_back("bs")
    world.run(600.0, until=lambda: bool(world.told("workload_done")))
    assert check_invariants(world) == {"ok": N}
    assert not world.events("cache_miss")


def test_an_image_from_a_fade_is_not_kept(bundle: Bundle) -> None:
    """Rayleigh, one h a request: with `max_fade_db` 0 only what was received above the average is kept."""
    channel = {"model": "rayleigh", "csi": "genie", "snr_db": 15.0}
    world, strict = (
        Caches(bundle, channel=channel, cache={"images": 4, "max_fade_db": 100.0}),
        Caches(bundle, channel=channel, cache={"images": 4, "max_fade_db": 0.0}),
    )
    for one in (world, strict):
        one.run_workload()
        assert check_invariants(one) == {"ok": N}
    assert world.image_tokens_sent() < strict.image_tokens_sent()
