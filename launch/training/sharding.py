"""The language model's weights spread over the workers: each holds a part of every layer (FSDP2).

A layer's weights are put together when it runs and let go of afterwards; gradients of what is trained are
summed where their part is held. Everything that is saved is whole, so the number of workers may change.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map
from transformers import Gemma2ForCausalLM


def shard_llm(llm: Gemma2ForCausalLM, workers: int) -> None:
    """Shard a Gemma2 in place, layer by layer and with its embedding, which is its head too."""
    if workers == 1:
        return
    mesh = init_device_mesh("cpu", (workers,))
    model = llm.model
    for layer in model.layers:
        fully_shard(layer, mesh=mesh, reshard_after_forward=True)
    fully_shard(model.embed_tokens, mesh=mesh, reshard_after_forward=True)
    llm.lm_head.weight = model.embed_tokens.weight  # still one tensor: now the part of it that is held here


def is_sharded(tensor: Tensor) -> bool:
    return isinstance(tensor, DTensor)


def whole(tensor: Tensor) -> Tensor:
    """A tensor put together from all workers, which all must ask for it; others are given as they are."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def whole_state(state: Any) -> Any:
    """The same for every tensor in dictionaries and lists."""
    return tree_map(lambda leaf: whole(leaf) if isinstance(leaf, Tensor) else leaf, state)


def spread_like(tensor: Tensor, held: Tensor) -> Tensor:
    """A whole tensor that every worker has, spread as `held` is."""
    if not isinstance(held, DTensor):
        return tensor
    return distribute_tensor(tensor, held.device_mesh, held.placements, src_data_rank=None)


def clip(gradients: list[Tensor], most: float) -> None:
    """Scale gradients, sharded and whole ones, to a common norm of at most `most`."""
    kinds = [[g for g in gradients if is_sharded(g) is sharded] for sharded in (False, True)]
    norms = [whole(nn.utils.get_total_norm(kind)) for kind in kinds if kind]
    total = norms[0] if len(norms) == 1 else torch.linalg.vector_norm(torch.stack(norms))
    factor = float((most / (total + 1e-6)).clamp(max=1.0))
    for gradient in gradients:
        gradient.mul_(factor)
