"""A reasoning network of memory, attention and composition (Hudson and Manning 2018, section 3.2).

Every step attends to the words (control), reads from the picture what they are about and what is
remembered (read), and writes it into its memory (write). The equations are the paper's (c1 to c2.3, r1
to r3.2, w1), with the gate that it has as an option, so that a step may keep what there was.

A mean of patches, as a step remembers them, does not say how many there were, nor can two sets be united or
cut by their means. So each step also says of every patch whether it is meant, and what a step looks at may
depend on what the steps before it meant (attention maps are kept as well by Hu et al. 2018).

Shapes: B pictures, Q questions, T words, S steps, N patches, D width.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

RARE: Final = -3.0
"""Where the log-odds of a patch's being meant begin: most patches never are."""


@dataclass(frozen=True, slots=True)
class Reasoned:
    """Memory [Q, D] after the last step; the log-odds [Q, S, N] that a step means a patch."""

    memory: Tensor
    log_odds: Tensor

    @property
    def amounts(self) -> Tensor:
        """How many patches each step means, [Q, S]."""
        return self.log_odds.float().sigmoid().sum(-1)


class Reasoning(nn.Module):
    """Steps of reasoning over words and patches."""

    def __init__(self, width: int, steps: int) -> None:
        super().__init__()
        self.start_control_D = nn.Parameter(torch.zeros(width))
        self.start_memory_D = nn.Parameter(torch.randn(width) * width**-0.5)
        self.of_step = nn.ModuleList(nn.Linear(width, width) for _ in range(steps))
        self.control = nn.Linear(2 * width, width)
        self.word_score = nn.Linear(width, 1)
        self.of_memory = nn.Linear(width, width)
        self.of_patch = nn.Linear(width, width)
        self.interact = nn.Linear(width, width)
        self.beside = nn.Linear(width, width, bias=False)
        self.patch_score = nn.Linear(width, 1, bias=False)
        self.rare_S = nn.Parameter(torch.full((steps,), RARE))
        self.of_meant_SD = nn.Parameter(torch.zeros(steps, width))
        self.write = nn.Linear(2 * width, width)
        self.gate = nn.Linear(width, 1)
        nn.init.constant_(self.gate.bias, 1.0)

    def forward(
        self, question_QD: Tensor, words_QTD: Tensor, there_QT: Tensor, patches_BND: Tensor, rows_Q: Tensor
    ) -> Reasoned:
        """Of questions (their summaries and words), each about the picture of its row."""
        log_odds = []
        control = self.start_control_D.expand_as(question_QD)
        memory = self.start_memory_D.expand_as(question_QD)
        patches_QND = patches_BND[rows_Q]
        known_QND = self.of_patch(patches_BND)[rows_Q]
        # W [I, k] is W1 I + W2 k, and W2 k is the same for all questions about a picture, at every step.
        beside_QND = self.beside(patches_BND)[rows_Q]
        for of_step, rare, of_meant_D in zip(self.of_step, self.rare_S, self.of_meant_SD, strict=True):
            asked = self.control(torch.cat([of_step(question_QD), control], -1))
            scores = self.word_score(asked[:, None] * words_QTD).squeeze(-1)
            control = _weighted(scores.masked_fill(~there_QT, -torch.inf), words_QTD)
            seen = self.interact(self.of_memory(memory)[:, None] * known_QND)
            about = nn.functional.elu(seen + beside_QND)
            # The score of control times what was found, without making that product [Q, N, D].
            weight_QD1 = (control * self.patch_score.weight)[..., None]
            log_odds.append(torch.bmm(about, weight_QD1).squeeze(-1) + rare)
            found = _weighted(log_odds[-1], patches_QND)
            beside_QND = beside_QND + log_odds[-1].sigmoid()[..., None] * of_meant_D
            new = self.write(torch.cat([found, memory], -1))
            share = torch.sigmoid(self.gate(control))
            memory = share * new + (1.0 - share) * memory
        return Reasoned(memory, torch.stack(log_odds, 1))


def _weighted(scores_QN: Tensor, values_QND: Tensor) -> Tensor:
    """The mean of values by the softmax of their scores, [Q, D]."""
    return torch.bmm(scores_QN.softmax(-1)[:, None], values_QND).squeeze(1)
