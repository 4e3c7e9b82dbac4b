"""Low-rank adapters on the language model (Hu et al. 2022), by peft, put in place and merged again."""

from collections.abc import Callable
from functools import partial
from typing import Final

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import Linear
from torch import Tensor, nn

TARGETS: Final = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def add_adapters(llm: nn.Module, rank: int) -> list[nn.Parameter]:
    """Freeze the model, give every linear map of its layers an adapter, and return the adapters' weights.

    An adapter adds (alpha / rank) B A x with alpha = 2 rank; B starts at zero, so nothing changes at first.
    Adapters are float32 whatever the model is: small steps would be lost in bfloat16.
    """
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=list(TARGETS), lora_dropout=0.0)
    inject_adapter_in_model(config, llm)
    llm.requires_grad_(False)
    for module in llm.modules():
        if isinstance(module, Linear):
            for part in (module.lora_A, module.lora_B):
                part.float().requires_grad_(True)
    return [*adapters_of(llm).values()]


def adapters_of(llm: nn.Module) -> dict[str, nn.Parameter]:
    """The adapters' weights by name."""
    return {name: parameter for name, parameter in llm.named_parameters() if "lora_" in name}


class Adapters(nn.Module):
    """The adapters alone as a module, so that a checkpoint holds them without the model that they adapt."""

    def __init__(self, llm: nn.Module) -> None:
        super().__init__()
        # dots would be paths of modules
        self.weights = nn.ParameterDict({n.replace(".", "/"): p for n, p in adapters_of(llm).items()})


def merged(llm: nn.Module) -> dict[str, Callable[[], Tensor]]:
    """The weights with the adapters in them, under the names that the model has without adapters.

    Each is made when it is called for: at paper scale not all of them are wanted twice at a time.
    """
    adapted = {
        f"{name}.base_layer.weight": module
        for name, module in llm.named_modules()
        if isinstance(module, Linear)
    }
    return {
        name.replace(".base_layer.", "."): partial(_merge, tensor, adapted.get(name))
        for name, tensor in llm.state_dict().items()
        if "lora_" not in name
    }


@torch.no_grad()
def _merge(tensor: Tensor, adapted: Linear | None) -> Tensor:
    if adapted is None:
        return tensor.clone()
    merged: Tensor = tensor + adapted.get_delta_weight("default")
    return merged
