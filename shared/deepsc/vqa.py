"""DeepSC-VQA: one user's image and another's question, answered at the receiver.

Transmitters: the residual network of `vision`, and DeepSC's own transformer for the words of the
question; each with a dense channel encoder. Receiver: a channel decoder for each, and a reasoning
network that answers out of a closed set (Xie, Qin, Li 2021, where it is MAC as here; the paper of 2022
puts transformer layers in its place). A prefix of a patch's channel uses decodes as well: the eighths 1,
2, 4, 6, 8 of 16 are the paper's five symbol budgets.

Shapes: B pictures, Q questions, T words, S steps, N patches, G patches a side, D width, R real numbers,
A answers.
"""

import torch
from torch import Tensor, nn

from shared.deepsc.channel import ChannelDecoder
from shared.deepsc.config import DeepscVqaConfig
from shared.deepsc.reasoning import Reasoning
from shared.deepsc.text import TextSender, positions
from shared.deepsc.vision import ImageSender
from shared.residual import Residual


class VqaSender(nn.Module):
    """Both transmitters."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        self.image = ImageSender(config)
        self.text = TextSender(config, config.uses_per_word)


class VqaReceiver(nn.Module):
    """What was received of pictures and questions to answers."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        width = config.text.width
        self.grid = config.grid
        self.image_channel = ChannelDecoder(width, config.channel_hidden, config.uses_per_patch)
        self.text_channel = ChannelDecoder(width, config.channel_hidden, config.uses_per_word)
        self.place_ND = nn.Parameter(places(config.grid, width))
        self.around = Residual(width, width)
        self.register_buffer("places_TD", positions(config.text_tokens, width), persistent=False)
        self.summary_score = nn.Linear(width, 1)
        self.reasoning = Reasoning(width, config.steps)
        self.answer = nn.Sequential(
            nn.Linear(2 * width + config.steps, 2 * width),
            nn.ELU(),
            nn.Linear(2 * width, len(config.answers)),
        )

    def see(self, reals_BNR: Tensor) -> Tensor:
        """Features [B, N, D] of received pictures, each patch with its place and what is around it."""
        patches = self.image_channel(reals_BNR) + self.place_ND
        maps = patches.transpose(1, 2).unflatten(2, (self.grid, self.grid))
        seen: Tensor = self.around(maps).flatten(2).transpose(1, 2)
        return seen

    def forward(self, patches_BND: Tensor, rows_Q: Tensor, reals_QTR: Tensor, there_QT: Tensor) -> Tensor:
        """Logits [Q, A]: of each received question about what was seen (`see`) of the picture of its row."""
        return self.reason(patches_BND, rows_Q, reals_QTR, there_QT)[0]

    def reason(
        self, patches_BND: Tensor, rows_Q: Tensor, reals_QTR: Tensor, there_QT: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Logits [Q, A], and log-odds [Q, S, N]: whether each step of reasoning means each patch."""
        places_TD = self.places_TD
        assert isinstance(places_TD, Tensor)
        words = self.text_channel(reals_QTR) + places_TD[: reals_QTR.shape[1]]
        scores = self.summary_score(words).squeeze(-1).masked_fill(~there_QT, -torch.inf)
        question = torch.bmm(scores.softmax(-1)[:, None], words).squeeze(1)
        found = self.reasoning(question, words, there_QT, patches_BND, rows_Q)
        return self.answer(torch.cat([question, found.memory, found.amounts], -1)), found.log_odds


def places(grid: int, width: int) -> Tensor:
    """[N, D]: half of it the sines of a patch's row, half of its column.

    Left of, behind: a sum of products of two such vectors says it; of vectors that begin anywhere it would
    have to be learned for every two patches.
    """
    along = positions(grid, width // 2)
    rows, columns = along[:, None].expand(grid, grid, -1), along[None].expand(grid, grid, -1)
    return torch.cat([rows, columns], -1).flatten(0, 1)


class DeepscVqa(nn.Module):
    """Both ends, as they are trained together."""

    def __init__(self, config: DeepscVqaConfig) -> None:
        super().__init__()
        self.sender = VqaSender(config)
        self.receiver = VqaReceiver(config)
