"""The bench counts what the comparator finds, and its references what there is to find."""

from pathlib import Path

import numpy as np

from launch.bench.comparator import all_similarities, bench, draw, draw_tokens
from shared.config import SharingConfig


def test_similarities_of_all_pairs_are_all_of_them() -> None:
    tokens_MD = draw_tokens(60, 16, 3)
    unit_MD = tokens_MD / np.linalg.norm(tokens_MD, axis=1, keepdims=True)
    sharing = SharingConfig(cosine_threshold=0.9)
    assert all_similarities(tokens_MD, sharing) == int((unit_MD @ unit_MD.T >= 0.9).sum())


def test_a_line_for_each_number_of_users_with_references_where_asked_for(tmp_path: Path) -> None:
    said: list[str] = []
    lines = bench([4, 16], 32, 24, reference_users=4, seed=1, say=said.append)
    assert [line.tokens for line in lines] == [128, 512]
    assert len(said) == 2
    assert all(0 < line.merged < line.tokens and line.seconds > 0 for line in lines)
    assert lines[0].found == 1.0  # so few are compared all with all
    assert lines[0].speed_up is not None
    assert lines[1].found is lines[1].speed_up is None
    draw(lines, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 5_000
