"""The bench counts what the comparator finds, and its references what there is to find."""

import numpy as np

from launch.bench.comparator import all_similarities, bench, draw_tokens
from launch.bench.order import ComparatorSizes, Order
from launch.bench.testbed import Runs
from shared.config import SharingConfig


def test_similarities_of_all_pairs_are_all_of_them() -> None:
    tokens_MD = draw_tokens(60, 16, 3)
    unit_MD = tokens_MD / np.linalg.norm(tokens_MD, axis=1, keepdims=True)
    sharing = SharingConfig(cosine_threshold=0.9)
    assert all_similarities(tokens_MD, sharing) == int((unit_MD @ unit_MD.T >= 0.9).sum())


def test_references_stand_beside_as_many_users_as_asked_for(no_runs: Runs) -> None:
    said: list[str] = []
    sizes = ComparatorSizes((4, 8, 16), tokens=32, width=24, reference_users=8)
    lines = {line.name: line for line in bench(Order(no_runs, 1, say=said.append, comparator=sizes))}
    assert len(said) == 3
    assert lines["comparator.4"].reference_value is not None
    assert lines["comparator.16"].reference_value is None
    assert lines["comparator.4.found"].value.median == 100.0  # so few are compared all with all
    assert "comparator.16.found" not in lines
    assert lines["comparator.growth"].target is not None
