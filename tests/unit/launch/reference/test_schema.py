"""Tables of keys: what is said of them, and that nothing is left unsaid."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from launch.reference.attribute_docs import attribute_docs
from launch.reference.configuration import said_of, sections
from launch.reference.scenarios import message_faults
from launch.reference.schema import Undocumented, keys_table, parameters, unit_of
from launch.reference.wire import direction, message_fields
from shared.config import RunConfig
from shared.fault_config import FAULT_CONFIGS, AirAim, ClippingConfig
from shared.process_fault_config import PROCESS_FAULT_CONFIGS
from shared.wire.messages import BY_KIND, Command, Credit, PeerState, SideInfo


class Base(BaseModel):
    first_ms: int = Field(ge=1, le=2_000)
    """Of the base; see air.md."""


class Made(Base):
    """Two words."""

    share: float | None = Field(None, gt=0.0, lt=1.0)
    """A | bar."""
    words: Annotated[tuple[Literal["a", "b"], ...], Field(max_length=3)] = ("a",)
    """Over
    two lines."""


class Silent(BaseModel):
    said: int = 1
    """Here."""
    unsaid: int = 1


def test_a_row_says_type_unit_default_limits_and_meaning() -> None:
    rows = keys_table(Made).splitlines()[2:]
    assert rows == [
        "| `first_ms` | integer | ms | required | 1 to 2,000 | Of the base; see [air.md](air.md). |",
        "| `share` | number or none | | none | > 0 and < 1 | A \\| bar. |",
        '| `words` | list of `a`, `b` | | `["a"]` | at most 3 long | Over two lines. |',
    ]
    assert parameters(Made, ["first_ms", "share"]) == (
        "`first_ms`: integer 1 to 2,000 ms; `share`: number or none > 0 and < 1 (default none)"
    )


def test_a_key_that_nothing_is_said_of_is_an_error() -> None:
    with pytest.raises(Undocumented, match=r"test_schema\.Silent\.unsaid: a docstring below it"):
        keys_table(Silent)
    assert keys_table(Silent, without=("unsaid",))


def test_a_class_that_nothing_is_said_of_is_an_error() -> None:
    assert said_of(Made) == "Two words."
    with pytest.raises(Undocumented, match="Silent"):
        said_of(Silent)


def test_docstrings_of_base_classes_count() -> None:
    assert attribute_docs(ClippingConfig)["classes"] == attribute_docs(AirAim)["classes"]
    assert attribute_docs(Made).keys() == {"first_ms", "share", "words"}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("snr_db", "dB"),
        ("at_s", "s"),
        ("kbytes_per_s", "kbytes/s"),
        ("users", ""),
        ("coherence_uses", "channel uses"),
    ],
)
def test_units_are_read_from_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_every_section_fault_and_message_is_said_something_of() -> None:
    kinds = [model for _, model in sections(RunConfig)]
    kinds += [*FAULT_CONFIGS.values(), *PROCESS_FAULT_CONFIGS.values()]
    assert len(kinds) > 30
    assert all(said_of(kind) for kind in kinds)
    assert all(f"\n### {kind}\n" in "\n" + message_fields() for kind in BY_KIND)
    assert message_faults().count("\n") == 1 + sum(not issubclass(m, AirAim) for m in FAULT_CONFIGS.values())


def test_a_message_goes_where_the_links_let_it_go() -> None:
    assert direction(SideInfo) == "`bs` → `ce` → `ue`"
    assert direction(Credit) == "`ue` → `ce`"
    assert direction(PeerState) == "`ce` → `bs`"
    assert direction(Command) == "agent → role"
