"""DeepSC and DeepSC-VQA, with tiny bundles of random weights, between the real roles."""

from pathlib import Path
from typing import Any

import pytest
import torch

from basestation.half import make_sender
from basestation.process import warm_up
from basestation.workload_file import WorkloadRequest
from shared.config import RunConfig
from shared.config_file import parse_config
from shared.deepsc.bundle import DeepscBundle
from shared.deepsc.channel import to_complex, to_reals, unit_power
from shared.deepsc.text import TextReceiver, TextSender
from shared.deepsc.vision import pixels_of
from shared.deepsc.vqa import VqaReceiver, VqaSender
from shared.picture_file import open_picture
from shared.semantic.manifest import BundleError
from shared.spec import RoleSpec
from shared.wire.messages import SymbolFrame
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, RandomMischief, workload
from tests.simulation.world import World, no_mischief
from tests.unit.shared.deepsc.tiny import TEXT, VQA, tiny_bundle
from userequipment.half import make_receiver

N = 6
REVIEWS = [
    WorkloadRequest(i, 0.0, i % 3, "text_classification", text, None)
    for i, text in enumerate(
        ("a film was good", "a film was good", "are there any small things", "red cube", "yes", "no")
    )
]


def config(bundle: DeepscBundle, snr_db: object = 20.0, **changes: Any) -> RunConfig:
    scheme = bundle.config.scheme
    channel = {"model": "awgn", "snr_db": snr_db} | changes.pop("channel", {})
    tasks = {"deepsc": "text_classification", "deepsc_vqa": "vqa"}
    run = {
        "scheme": scheme,
        "bundle": str(bundle.path),
        "users": 3,
        "max_group": 3,
        "channel": channel,
        "workload": {"source": "requests_file", "tasks": [tasks[scheme]]},
    }
    return parse_config(run | changes, "test")


def spec_of(run: RunConfig) -> RoleSpec:
    return RoleSpec("run", "ue", 0, 0, run, Path("nowhere"), "", "", "here")


def world_of(run: RunConfig, requests: list[WorkloadRequest], loss: float = 0.0) -> World:
    """Both halves as the processes make them."""
    sender, receiver = make_sender(spec_of(run)), make_receiver(spec_of(run), {})
    assert sender.fingerprint == receiver.fingerprint
    return World(
        run,
        requests,
        images=IMAGES,
        mischief=RandomMischief(7, loss) if loss else no_mischief,
        sender=sender,
        make_receiver=lambda: make_receiver(spec_of(run), {}),
    )


def frames_of(world: World) -> list[SymbolFrame]:
    return [m for _, n, m in world.sent if n == "bs" and isinstance(m, SymbolFrame)]


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> DeepscBundle:
    return tiny_bundle(tmp_path_factory.mktemp("text") / "b", TEXT, seed=4)


@pytest.fixture(scope="module")
def vqa(tmp_path_factory: pytest.TempPathFactory) -> DeepscBundle:
    return tiny_bundle(tmp_path_factory.mktemp("vqa") / "b", VQA, seed=4)


@torch.inference_mode()
def direct(bundle: DeepscBundle, text: str, image: bytes | None) -> str:
    """What the model says in one process, without any air."""

    def sent(reals: torch.Tensor) -> torch.Tensor:
        symbols = to_complex(reals)
        return to_reals(unit_power(symbols, torch.ones(symbols.shape)))

    sender, receiver = bundle.end("sender"), bundle.end("receiver")
    ids = torch.tensor([bundle.words(text)])
    there = torch.ones_like(ids, dtype=torch.bool)
    if isinstance(sender, TextSender):
        assert isinstance(receiver, TextReceiver)
        return bundle.config.answers[int(receiver(sent(sender(ids, there)), there).argmax())]
    assert isinstance(sender, VqaSender)
    assert isinstance(receiver, VqaReceiver)
    assert image is not None
    picture = open_picture(image, ("PNG",), 10**6)
    seen = receiver.see(sent(sender.image(pixels_of(picture, VQA.image_size)[None])))
    return bundle.config.answers[
        int(receiver(seen, torch.tensor([0]), sent(sender.text(ids, there)), there).argmax())
    ]


IDEAL = {"model": "ideal", "sample_format": "cf32"}


def test_over_an_ideal_channel_answers_are_those_of_the_model_itself(
    text: DeepscBundle, vqa: DeepscBundle
) -> None:
    for bundle, requests in ((text, REVIEWS), (vqa, workload(N))):
        world = world_of(config(bundle, channel=IDEAL), requests)
        world.run_workload()
        assert check_invariants(world) == {"ok": N}
        said = {e["request_id"]: e["text"] for e in world.events("ok")}
        assert said == {
            f"r{w.index:06d}": direct(bundle, w.text, None if w.image is None else IMAGES[w.image])
            for w in requests
        }
        assert len(set(said.values())) > 1, "or the test shows little"


def test_a_picture_that_users_share_is_on_the_air_once_and_without_sharing_for_each(
    vqa: DeepscBundle,
) -> None:
    """Users 0 and 1 ask about image a with different words, user 2 about b; then all ask the same of a."""
    world = world_of(config(vqa), workload(3))
    world.run_workload()
    public = [f for f in frames_of(world) if f.stream == "public"]
    assert {f.users for f in public} == {(0, 1)}
    assert sum(f.uses for f in public) == VQA.patches * VQA.uses_per_patch

    same = [WorkloadRequest(i, 0.0, i, "vqa", "how many?", "a") for i in range(3)]
    shared, alone = (world_of(config(vqa, sharing={"enabled": on}), same) for on in (True, False))
    shared.run_workload()
    alone.run_workload()
    assert {f.users for f in frames_of(shared)} == {(0, 1, 2)}
    assert {f.stream for f in frames_of(alone)} == {"private"}
    assert 3 * sum(f.uses for f in frames_of(shared)) == sum(f.uses for f in frames_of(alone))


def test_a_prefix_of_a_patchs_channel_uses_is_an_operating_point(vqa: DeepscBundle) -> None:
    asked = [WorkloadRequest(0, 0.0, 0, "vqa", "how many?", "a")]
    for eighths in (1, 4, 8):
        world = world_of(config(vqa, rate={"image_eighths": eighths}), asked)
        world.run_workload()
        assert check_invariants(world) == {"ok": 1}
        frames = frames_of(world)
        words = len(vqa.words("how many?"))
        assert sum(f.uses for f in frames) == VQA.patches * eighths + VQA.uses_per_word * words
        assert sum(f.energy for f in frames) == pytest.approx(sum(f.uses for f in frames), rel=1e-3)


@pytest.mark.parametrize("scheme", ["deepsc", "deepsc_vqa"])
def test_every_request_ends_over_a_lossy_network_and_the_same_way_again(
    scheme: str, text: DeepscBundle, vqa: DeepscBundle
) -> None:
    bundle, requests = (text, REVIEWS) if scheme == "deepsc" else (vqa, workload(N))
    run = config(
        bundle,
        snr_db=5.0,
        channel={"model": "rayleigh", "side_info": "ldpc"},
        retransmission={"least_snr_db": 0.0},
    )
    worlds = [world_of(run, requests, loss=0.2) for _ in range(2)]
    for world in worlds:
        world.run_workload()
        assert set(check_invariants(world)) <= {"ok", "degraded", "fail"}
        for e in world.journal:
            e.pop("stage_ms", None), e.pop("latency_ms", None)
    assert worlds[0].journal == worlds[1].journal


def test_an_erased_picture_is_the_control_and_other_tasks_are_refused(vqa: DeepscBundle) -> None:
    requests = [*workload(1), WorkloadRequest(1, 0.0, 1, "caption", "", "a")]
    world = world_of(config(vqa, control="image_erased"), requests)
    world.run_workload()
    assert check_invariants(world) == {"ok": 1, "refused": 1}
    assert world.events("refused")[0]["reason"] == "bad_input: task: 'caption' is none of vqa"
    assert world.events("ok")[0]["control_text"] in VQA.answers


def test_what_the_weights_cannot_do_is_said_at_the_start(text: DeepscBundle, vqa: DeepscBundle) -> None:
    run = config(text)
    for wrong in (
        run.model_copy(update={"bundle": str(vqa.path)}),
        run.model_copy(update={"bundle": "micro"}),
    ):
        for make in (make_sender, lambda spec: make_receiver(spec, {})):
            with pytest.raises(BundleError, match="scheme: expected weights for 'deepsc', found"):
                make(spec_of(wrong))
    warm_up(make_sender(spec_of(run)))
