"""Equal tokens have one name, similar ones may get it, and what is not sent has none."""

from dataclasses import replace

import numpy as np

from basestation.compare import compare, leaders_anywhere, leaders_in_place, leaders_within_image, merged
from shared.config import SharingConfig
from tests.unit.basestation.test_partition import sequence

SHARING = SharingConfig(cosine_threshold=0.99)


def test_similar_tokens_at_one_position_merge_and_others_do_not() -> None:
    first, second = sequence(0, 0, 1, (1,)), sequence(1, 1, 2, (2,))
    assert first.image_ND is not None
    assert second.image_ND is not None
    second.image_ND[3] = first.image_ND[3] * 1.001
    second.image_ND[5] = first.image_ND[8]
    exact = compare([first, second], SHARING, 2)
    result = merged(exact, leaders_in_place(exact, SHARING))
    assert result.merged == 1
    assert result.keys[1][3] == result.keys[0][3]
    assert result.keys[1][4] != result.keys[0][4]
    anywhere = merged(exact, leaders_anywhere(exact, SHARING))
    assert anywhere.merged == 2
    assert anywhere.keys[1][5] == anywhere.keys[0][8]


def test_tokens_of_one_image_merge_anywhere() -> None:
    only = sequence(0, 0, 1, (1,))
    assert only.image_ND is not None
    only.image_ND[7] = only.image_ND[2]
    exact = compare([only], SHARING, 2)
    assert leaders_in_place(exact, SHARING) == {}
    result = merged(exact, leaders_anywhere(exact, SHARING))
    assert result.keys[0][7] == result.keys[0][2] == ("image", "image1", 2, 2)


def test_short_runs_are_left_alone() -> None:
    """Places 1, 2 and 3 resemble the other image's, and so does 6; what is not sent interrupts no run."""
    sent = {1, 3, 4, 6, 7}
    first, second = sequence(0, 0, 1, (1,), selected=sent), sequence(1, 1, 2, (2,), selected=sent)
    assert first.image_ND is not None
    assert second.image_ND is not None
    second.image_ND[[1, 2, 3, 6]] = first.image_ND[[1, 2, 3, 6]]
    exact = compare([first, second], SHARING, 2)
    leaders = leaders_in_place(exact, SHARING)
    assert merged(exact, leaders, 1).merged == 3
    assert merged(exact, leaders, 2).merged == 2
    assert merged(exact, leaders, 3).merged == 0


def test_a_token_that_is_not_sent_leads_no_other() -> None:
    first, second = sequence(0, 0, 1, (1,), selected={1}), sequence(1, 1, 2, (2,), selected={1, 3})
    assert first.image_ND is not None
    assert second.image_ND is not None
    second.image_ND[:] = first.image_ND
    exact = compare([first, second], SHARING, 2)
    result = merged(exact, leaders_in_place(exact, SHARING))
    assert result.merged == 1
    assert result.keys[1][1] == result.keys[0][1]
    assert result.keys[1][3] == ("image", "image2", 3, 2)


def test_what_many_use_leads() -> None:
    """Two users look at the second image, one at the first: theirs is sent."""
    group = [sequence(0, 0, 1, (1,)), sequence(1, 1, 2, (2,)), sequence(2, 2, 2, (3,))]
    for one in group:
        assert one.image_ND is not None
        one.image_ND[:] = np.arange(80, dtype=np.float32).reshape(10, 8) % 7
    exact = compare(group, SHARING, 2)
    leaders = leaders_in_place(exact, SHARING)
    assert all(key[1] == "image1" and leader[1] == "image2" for key, leader in leaders.items())
    assert len(leaders) == 10


def test_within_an_image_no_other_image_is_looked_at() -> None:
    first, second = sequence(0, 0, 1, (1,)), sequence(1, 1, 2, (2,))
    assert first.image_ND is not None
    assert second.image_ND is not None
    first.image_ND[8] = first.image_ND[2]
    second.image_ND[5] = first.image_ND[5]
    exact = compare([first, second], SHARING, 2)
    leaders = leaders_within_image(exact, SHARING)
    assert leaders == {("image", "image1", 8, 2): ("image", "image1", 2, 2)}


def test_what_the_projector_made_alike_is_alike_where_that_is_compared() -> None:
    """What is sent is the token at the split all the same."""
    first, second = sequence(0, 0, 1, (1,)), sequence(1, 1, 2, (2,))
    assert first.image_ND is not None
    assert second.image_ND is not None
    projected = first.image_ND.copy()
    second = replace(second, projected_ND=second.image_ND.copy())
    second.projected_ND[3] = projected[3]  # type: ignore[index]
    second.image_ND[4] = first.image_ND[4]
    pair = [replace(first, projected_ND=projected), second]
    for place, position in (("split", 4), ("projector", 3)):
        sharing = SharingConfig(cosine_threshold=0.99, compare_at=place)  # type: ignore[arg-type]
        exact = compare(pair, sharing, 2)
        result = merged(exact, leaders_in_place(exact, sharing))
        assert result.merged == 1
        assert result.keys[1][position] == result.keys[0][position]
        sent = result.vectors[result.keys[1][position]]  # type: ignore[index]
        assert np.array_equal(sent, first.image_ND[position])


def test_a_tokens_worth_is_against_the_mean_of_what_its_request_sends() -> None:
    one = replace(sequence(0, 0, 1, (1, 2), 4, {0, 1, 3}), salience_N=np.array([1.0, 5.0, 100.0, 6.0]))
    exact = compare([one], SHARING, 2)
    assert [exact.worth[name] for name in exact.keys[0] if name is not None] == [0.25, 1.25, 1.5, 1.0, 1.0]
    silent = replace(one, salience_N=np.zeros(4))
    assert set(compare([silent], SHARING, 2).worth.values()) == {1.0}
    faint = replace(one, salience_N=np.array([0.0, 5.0, 100.0, 6.0]))
    assert min(compare([faint], SHARING, 2).worth.values()) == 0.02
