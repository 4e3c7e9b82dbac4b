"""At k = 0, without codec and over an ideal channel, a UE answers what `transformers` generates.

Everything in between is real: intake, sharing, frames, index map, emulator, reassembly, key/value caches.
"""

import io

import numpy as np
import torch
from PIL import Image

from basestation.pipeline import GroupPipeline
from shared.config_file import parse_config
from shared.semantic.bundle import Bundle
from shared.semantic.receiver import SemanticReceiver
from shared.semantic.sender import SemanticSender
from shared.wire.messages import Answer
from tests.simulation.invariants import check_invariants
from tests.simulation.settings import IMAGES, workload
from tests.simulation.world import World
from userequipment.pipeline import RequestPipeline

N, NEW_TOKENS = 6, 12


def generated(bundle: Bundle, prompts: object, image: bytes, question: str) -> list[int]:
    """The whole prompt through the vision tower, the projector and `Gemma2ForCausalLM.generate`."""
    model, llm = bundle.model("all"), bundle.config.llm
    layout = prompts.layout("vqa")  # type: ignore[attr-defined]
    ids = [llm.bos_id, *layout.instruction_ids, *prompts.text_ids(question)]  # type: ignore[attr-defined]
    with torch.inference_mode():
        words = model.llm.model.embed_tokens(torch.tensor([ids]))
        pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"))
        seen = model.projector(model.vision(model.vision.preprocess([pixels])))
        prompt = torch.cat([words[:, :1], seen, words[:, 1:]], 1)
        mask = torch.ones(prompt.shape[:2], dtype=torch.long)
        out = model.llm.generate(
            inputs_embeds=prompt, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False
        )
    return [token for token in out[0].tolist() if token not in (llm.pad_id, *llm.stop_ids)]


def test_answers_equal_greedy_generation_token_for_token(bundle: Bundle) -> None:
    config = parse_config(
        {
            "users": 3,
            "max_group": 3,
            "split_layer": 0,
            "max_new_tokens": NEW_TOKENS,
            "channel": {"model": "ideal", "codec": "bypass", "sample_format": "cf32"},
            "sharing": {"cosine_threshold": 1.0, "mean_threshold": 0.0, "variance_threshold": 0.0},
        },
        "test",
    )
    sender = SemanticSender(bundle, 0, "cpu", "bypass")
    world = World(
        config,
        workload(N),
        images=IMAGES,
        sender=GroupPipeline(config, sender, clock=lambda: 0.0),
        receiver=RequestPipeline(config, SemanticReceiver(bundle, 0, "cpu", "bypass"), clock=lambda: 0.0),
    )
    world.run_workload()
    assert check_invariants(world) == {"ok": N}
    answers = {m.request_id: list(m.token_ids) for _, _, m in world.sent if isinstance(m, Answer)}
    for request in workload(N):
        assert request.image is not None
        expected = generated(bundle, sender.prompts, IMAGES[request.image], request.text)
        assert answers[f"r{request.index:06d}"] == expected
    assert len({tuple(ids) for ids in answers.values()}) > 1, "the answers must not all be the same"
