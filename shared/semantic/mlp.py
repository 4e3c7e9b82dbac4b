"""A cross-modal projector of two linear layers with GELU between them: what the KAN is compared with.

With `hidden` units between I inputs and O outputs it has hidden (I + O + 1) + O parameters.
"""

from torch import Tensor, nn


class MlpProjector(nn.Module):
    """Image tokens of the vision tower to the width of the language model."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))

    def forward(self, tokens: Tensor) -> Tensor:
        """[.., N, vision width] -> [.., N, language width]."""
        projected: Tensor = self.layers(tokens)
        return projected


def hidden_for(parameters: int, inputs: int, outputs: int) -> int:
    """The hidden width whose parameters come nearest to so many; at least one."""
    return max(1, round((parameters - outputs) / (inputs + outputs + 1)))
