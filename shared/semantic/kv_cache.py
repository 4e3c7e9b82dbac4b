"""Keys and values of decoder layers, kept while a prompt is read and an answer is written.

Shapes: B sequences, H key/value heads, T tokens, E head width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor


class LayerCache:
    """Keys and values of some layers, [B, H, T, E] each, in buffers that grow by doubling.

    Duck-typed for `transformers`' attention, which calls `update` and attends to what that returns.
    """

    def __init__(self, reserve: int = 0) -> None:
        self._reserve = reserve
        self._layers: dict[int, tuple[Tensor, Tensor, int]] = {}

    def update(self, keys: Tensor, values: Tensor, layer: int) -> tuple[Tensor, Tensor]:
        new = keys.shape[2]
        if layer not in self._layers:
            self._layers[layer] = (*self._room(keys, values, new + self._reserve), 0)
        held_keys, held_values, length = self._layers[layer]
        if length + new > held_keys.shape[2]:
            room = self._room(keys, values, 2 * (length + new))
            room[0][:, :, :length], room[1][:, :, :length] = (
                held_keys[:, :, :length],
                held_values[:, :, :length],
            )
            held_keys, held_values = room
        held_keys[:, :, length : length + new] = keys
        held_values[:, :, length : length + new] = values
        self._layers[layer] = (held_keys, held_values, length + new)
        return held_keys[:, :, : length + new], held_values[:, :, : length + new]

    def with_room(self, layer: int, more: int) -> tuple[Tensor, Tensor, int]:
        """A layer's buffers [B, H, capacity, E], and how many tokens they hold: `more` will fit behind these.

        What is written there is not counted as held.
        """
        keys, values, length = self._layers[layer]
        if length + more > keys.shape[2]:
            room = self._room(keys, values, length + more)
            room[0][:, :, :length], room[1][:, :, :length] = keys[:, :, :length], values[:, :, :length]
            self._layers[layer] = (*room, length)
        return self._layers[layer]

    @staticmethod
    def _room(keys: Tensor, values: Tensor, length: int) -> tuple[Tensor, Tensor]:
        shape = (*keys.shape[:2], length, keys.shape[3])
        return keys.new_empty(shape), values.new_empty(shape)

    def keys_values(self, layer: int) -> tuple[Tensor, Tensor]:
        keys, values, length = self._layers[layer]
        return keys[:, :, :length], values[:, :, :length]

    @property
    def tokens(self) -> int:
        """How many tokens are held; 0 where there are no layers to hold them for."""
        return max((length for _, _, length in self._layers.values()), default=0)

    def layers(self) -> tuple[int, ...]:
        return tuple(self._layers)

    def slice(self, start: int) -> "LayerCache":
        """The tokens from `start` on."""
        part = LayerCache()
        for layer in self._layers:
            keys, values = self.keys_values(layer)
            part._layers[layer] = (keys[:, :, start:], values[:, :, start:], keys.shape[2] - start)
        return part


def join_caches(
    parts: Sequence[LayerCache], reserve: int = 0, rows: Sequence[int] | None = None
) -> LayerCache:
    """A copy with the tokens of all parts behind each other, and room for more.

    `rows` picks, and repeats, sequences of the parts; a part of one sequence serves all rows.
    """
    joined = LayerCache(reserve)
    for layer in parts[0].layers():
        held = [part.keys_values(layer) for part in parts]
        if rows is not None:
            held = [(k[list(rows)], v[list(rows)]) if len(k) > 1 else (k, v) for k, v in held]
        batch = len(rows) if rows is not None else max(len(k) for k, _ in held)
        joined.update(
            torch.cat([k.expand(batch, -1, -1, -1) for k, _ in held], 2),
            torch.cat([v.expand(batch, -1, -1, -1) for _, v in held], 2),
            layer,
        )
    return joined
