"""The keys of a run's configuration, a table a section."""

from collections.abc import Iterator

from pydantic import BaseModel

from launch.reference.markdown import one_paragraph
from launch.reference.schema import Undocumented, keys_table
from shared.channel_config import InterferenceConfig
from shared.config import ChaosConfig, RunConfig


def keys() -> str:
    """All sections, in the order of `RunConfig`. Raises `Undocumented`."""
    parts = ["## Top", keys_table(RunConfig, without=("chaos",))]
    for name, model in sections(RunConfig):
        parts += [f"## {name}", said_of(model), keys_table(model)]
        if name == "channel":
            parts += ["### channel.interference", said_of(InterferenceConfig), keys_table(InterferenceConfig)]
    parts += ["## chaos", said_of(ChaosConfig), keys_table(ChaosConfig)]
    return "\n\n".join(parts)


def sections(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Names in full, and models, of the sections that are always there."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield prefix + name, inner
            yield from sections(inner, f"{prefix}{name}.")


def said_of(kind: type) -> str:
    """A class's docstring on one line. Raises `Undocumented`."""
    text = kind.__dict__.get("__doc__")
    if not text:
        raise Undocumented(f"{kind.__module__}.{kind.__name__}: its docstring says what it is")
    return one_paragraph(text)
