"""What is sent once, what is sent per user, and that every map position leads to the right token."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from basestation.compare import Comparison, TokenSequence, compare
from basestation.partition import partition
from shared.config import SharingConfig
from shared.token_runs import TokenState

D = 8
EXACT_ONLY = SharingConfig(cosine_threshold=1.0, mean_threshold=0.0, variance_threshold=0.0)


def sequence(
    request: int,
    user: int,
    image: int | None,
    words: tuple[int, ...],
    n_image: int = 10,
    selected: set[int] | None = None,
) -> TokenSequence:
    image_ND = None
    if image is not None:
        image_ND = np.random.default_rng(image).standard_normal((n_image, D)).astype(np.float32)
    text_ND = np.array([[hash((image, words[: i + 1])) % 997] * D for i in range(len(words))], np.float32)
    return TokenSequence(
        f"r{request}",
        user,
        "vqa",
        None if image is None else f"image{image}",
        image_ND,
        text_ND.reshape(-1, D),
        words,
        selected_N=None if selected is None else np.isin(np.arange(n_image), list(selected)),
    )


def test_users_on_one_image_share_it_and_keep_their_words() -> None:
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, (3, 4)), sequence(2, 2, 8, (1, 2))]
    plan = partition(group, compare(group, EXACT_ONLY, 2), tokens_per_frame=4)
    assert (plan.public_tokens, plan.private_tokens) == (10, 2 + 2 + 12)
    public = [f for f in plan.frames if f.stream == "public"]
    assert [f.users for f in public] == [(0, 1)] * 3
    assert [len(f.tokens) for f in public] == [4, 4, 2]
    assert plan.positions["r0"][:10] == [(TokenState.PUBLIC, i) for i in range(10)]
    assert plan.positions["r0"][10:] == [(TokenState.PRIVATE, 0), (TokenState.PRIVATE, 1)]
    assert all(state is TokenState.PRIVATE for state, _ in plan.positions["r2"])


def test_the_same_question_on_the_same_image_is_shared_up_to_where_it_differs() -> None:
    group = [sequence(0, 0, 7, (1, 2, 3)), sequence(1, 1, 7, (1, 2, 9))]
    plan = partition(group, compare(group, EXACT_ONLY, 2), tokens_per_frame=16)
    assert plan.public_tokens == 10 + 2
    assert plan.private_tokens == 1 + 1


def test_without_sharing_every_request_gets_everything() -> None:
    group = [sequence(0, 0, 7, (1, 2)), sequence(1, 1, 7, (1, 2))]
    plan = partition(group, compare(group, SharingConfig(enabled=False), 2), tokens_per_frame=16)
    assert (plan.public_tokens, plan.private_tokens) == (0, 24)


def test_what_is_not_selected_is_not_sent_and_takes_no_place() -> None:
    group = [sequence(0, 0, 7, (1, 2), selected={2, 3, 7}), sequence(1, 1, 7, (3, 4), selected={2, 3, 7})]
    plan = partition(group, compare(group, EXACT_ONLY, 2), tokens_per_frame=4)
    assert (plan.public_tokens, plan.private_tokens) == (3, 2 + 2)
    sent = {p: entry for p, entry in enumerate(plan.positions["r1"]) if entry[0] is not TokenState.UNSELECTED}
    assert sent == {
        **{place: (TokenState.PUBLIC, i) for i, place in enumerate((2, 3, 7))},
        10: (TokenState.PRIVATE, 0),
        11: (TokenState.PRIVATE, 1),
    }


def test_frames_hold_image_tokens_or_text_tokens() -> None:
    group = [sequence(0, 0, 7, (1, 2, 3))]
    plan = partition(group, compare(group, EXACT_ONLY, 2), tokens_per_frame=4)
    assert [(f.kind, f.first_token, len(f.tokens)) for f in plan.frames] == [
        ("image", 0, 4),
        ("image", 4, 4),
        ("image", 8, 2),
        ("text", 10, 3),
    ]


def named(group: list[TokenSequence], leaders: dict[tuple[int, int], int]) -> Comparison:
    """As merged: `leaders[request, place]` is the request whose token is used there."""
    exact = compare(group, EXACT_ONLY, 2)
    keys = [list(names) for names in exact.keys]
    for (request, place), leader in leaders.items():
        keys[request][place] = exact.keys[leader][place]
    return replace(exact, keys=keys)


def test_shared_image_tokens_are_numbered_by_place_and_a_frame_is_for_all_who_need_any_of_it() -> None:
    """Users 0 to 2 have an image each and use each other's tokens; users 3 and 4 look at one together."""
    group = [sequence(user, user, image, (user,)) for user, image in enumerate((1, 2, 3, 9, 9))]
    leaders = {(1, 2): 0, (2, 2): 0, (2, 0): 1, (1, 7): 0, (0, 5): 2}
    plan = partition(group, named(group, leaders), tokens_per_frame=3)
    public = [f for f in plan.frames if f.stream == "public"]
    assert [f.users for f in public] == [(0, 1, 2), (0, 1), *[(3, 4)] * 4]
    assert [name[2] for f in public[:2] for name in f.tokens] == [0, 2, 5, 7]
    sent = [[r for state, r in plan.positions[f"r{user}"] if state is TokenState.PUBLIC] for user in range(5)]
    assert sent[:3] == [[1, 2, 3], [0, 1, 3], [0, 1, 2]]
    assert sent[3] == sent[4] == [*range(4, 14)]
    assert [f.first_token for f in plan.frames_for("r1") if f.stream == "public"] == [0, 3]
    assert [f.first_token for f in plan.frames_for("r2") if f.stream == "public"] == [0]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.one_of(st.none(), st.integers(0, 2)),
            st.lists(st.integers(0, 3), max_size=6),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 7),
    st.booleans(),
)
def test_every_position_leads_to_its_own_token(
    users: list[tuple[int, int | None, list[int]]], tokens_per_frame: int, enabled: bool
) -> None:
    group = [sequence(r, user, image, tuple(words)) for r, (user, image, words) in enumerate(users)]
    comparison = compare(group, SharingConfig(enabled=enabled, cosine_threshold=1.0), 2)
    plan = partition(group, comparison, tokens_per_frame)
    assert [f.frame_id for f in plan.frames] == list(range(len(plan.frames)))
    for s, names in zip(group, comparison.keys, strict=True):
        carried = {
            (f.stream, f.first_token + i): name
            for f in plan.frames_for(s.request_id)
            for i, name in enumerate(f.tokens)
        }
        for name, (state, reference) in zip(names, plan.positions[s.request_id], strict=True):
            stream = "public" if state is TokenState.PUBLIC else "private"
            assert carried[stream, reference] == name
        assert all(s.user in f.users for f in plan.frames_for(s.request_id))
