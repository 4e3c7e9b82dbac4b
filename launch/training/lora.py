"""Low-rank adapters on the language model (Hu et al. 2022), by peft, put in place and merged again."""

from typing import Final

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear
from torch import Tensor, nn

TARGETS: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def add_adapters(llm: nn.Module, rank: int) -> list[nn.Parameter]:
    """Freeze the model, give every linear map of its layers an adapter, and return the adapters' weights.

    An adapter adds (alpha / rank) B A x with alpha = 2 rank; B starts at zero, so nothing changes at first.
    """
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(TARGETS), lora_dropout=0.0)
    inject_adapter_in_model(config, llm)
    llm.requires_grad_(False)
    adapters = [p for name, p in llm.named_parameters() if "lora_" in name]
    for parameter in adapters:
        parameter.requires_grad_(True)
    return adapters


@torch.no_grad()
def merged(llm: nn.Module) -> dict[str, Tensor]:
    """The weights with the adapters in them, under the names that the model has without adapters."""
    deltas = {
        f"{name}.base_layer.weight": module.get_delta_weight("default")
        for name, module in llm.named_modules()
        if isinstance(module, Linear)
    }
    return {
        name.replace(".base_layer.", "."): tensor + deltas[name] if name in deltas else tensor.clone()
        for name, tensor in llm.state_dict().items()
        if "lora_" not in name
    }
