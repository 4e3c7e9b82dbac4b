"""Which host runs which role."""

import pytest

from launch.errors import LaunchError
from launch.placement import Host, Placement, place
from shared.config import PlacementConfig

ANY = PlacementConfig()


def hosts(count: int, **labels: str) -> list[Host]:
    """h1 (the command's own) to h<count>; labels by host name."""
    made = [
        Host(
            f"id{number}",
            f"h{number}",
            f"10.0.0.{number}",
            number == 1,
            {"m4sc-role": labels[f"h{number}"]} if f"h{number}" in labels else {},
        )
        for number in range(1, count + 1)
    ]
    return made[::-1]  # in an order that says nothing


def names(placement: Placement) -> dict[str, str]:
    return {role: host.name for role, host in placement.by_role.items()}


def test_one_host_has_everything() -> None:
    assert set(names(place(hosts(1), 3, ANY)).values()) == {"h1"}


def test_of_two_hosts_the_second_has_the_ues() -> None:
    placed = names(place(hosts(2), 2, ANY))
    assert placed == {"ce": "h1", "bs": "h1", "ue-0": "h2", "ue-1": "h2"}


def test_of_more_hosts_the_emulator_has_one_alone_and_ues_are_spread() -> None:
    placement = place(hosts(4), 3, ANY)
    assert names(placement) == {"ce": "h2", "bs": "h1", "ue-0": "h3", "ue-1": "h4", "ue-2": "h3"}
    assert [host.name for host in placement.hosts] == ["h1", "h2", "h3", "h4"]
    assert placement.roles_on("h3") == ["ue-0", "ue-2"]


def test_labels_decide_and_hosts_that_have_others_are_left_alone() -> None:
    placed = names(place(hosts(4, h4="ce", h2="ue", h3="other"), 2, ANY))
    assert placed == {"ce": "h4", "bs": "h1", "ue-0": "h2", "ue-1": "h2"}


def test_the_configuration_overrules_labels_and_takes_names_or_addresses() -> None:
    wanted = PlacementConfig(bs="h1", ce="10.0.0.3", ues=("h2", "10.0.0.4"))
    placed = names(place(hosts(4, h4="ce"), 3, wanted))
    assert placed == {"ce": "h3", "bs": "h1", "ue-0": "h2", "ue-1": "h4", "ue-2": "h2"}


@pytest.mark.parametrize(
    ("wanted", "labels", "said"),
    [
        (PlacementConfig(ce="h9"), {}, r"cluster\.placement\.ce: h9: no such host .*h1 \(10\.0\.0\.1\)"),
        (PlacementConfig(ues=("h2", "nowhere")), {}, r"cluster\.placement\.ues: nowhere: no such host"),
        (PlacementConfig(bs="h2"), {}, r"cluster\.placement\.bs: h2 is not the host of this command"),
        (ANY, {"h2": "bs"}, r"cluster\.placement\.bs: h2 is not the host of this command"),
        (ANY, {"h2": "ce", "h3": "ce"}, r"label m4sc-role=ce: expected on one host, found on h2, h3"),
    ],
)
def test_what_cannot_be_is_one_line(wanted: PlacementConfig, labels: dict[str, str], said: str) -> None:
    with pytest.raises(LaunchError, match=said) as caught:
        place(hosts(3, **labels), 2, wanted)
    assert "\n" not in str(caught.value)
