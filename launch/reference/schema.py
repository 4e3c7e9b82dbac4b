"""A pydantic model's keys as rows of a table: type, default and limits, from its JSON schema."""

import json
import re
from typing import Any

from pydantic import BaseModel

from launch.reference.attribute_docs import attribute_docs
from launch.reference.markdown import code, table

HEAD = ("key", "type", "unit", "default", "limits", "meaning")
_TYPES = {
    "integer": "integer",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "none",
}
_UNITS = {
    "_db": "dB", "_s": "s", "_ms": "ms", "_ns": "ns", "_khz": "kHz", "_mib": "MiB", "_bytes": "bytes",
    "_kbytes": "kbytes", "_uses": "channel uses", "kbytes_per_s": "kbytes/s", "requests_per_s": "1/s",
    "_bits": "bits", "_pixels": "pixels", "_chars": "characters", "queue_bytes_per_user": "bytes",
}  # fmt: skip
_PATTERNS = {
    "^(bs|ce|ue-[0-9]{1,5})$": "`bs`, `ce` or `ue-N`",
    "^(bs|ce|ue-[0-9]{1,5}|all)$": "`bs`, `ce`, `ue-N` or `all`",
    "^ue-[0-9]{1,5}$": "`ue-N`",
}
_LIMITS = {"minimum": "≥ ", "exclusiveMinimum": "> ", "maximum": "≤ ", "exclusiveMaximum": "< "}
_PAGE = re.compile(r"\b([a-z_]+\.md)\b")
Schema = dict[str, Any]


class Undocumented(ValueError):
    """A key, message, fault or event of which nothing is said."""


def rows(model: type[BaseModel], prefix: str = "", without: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """A row for each key that is no section. Raises `Undocumented`."""
    schema, docs = model.model_json_schema(), attribute_docs(model)
    return [
        (
            code(prefix + name),
            *_described(name, of, name in schema.get("required", ())),
            _meaning(model, name, docs),
        )
        for name, of in schema["properties"].items()
        if name not in without and not _is_section(of)
    ]


def keys_table(model: type[BaseModel], prefix: str = "", without: tuple[str, ...] = ()) -> str:
    """The keys of a model. Raises `Undocumented`."""
    return table(HEAD, rows(model, prefix, without))


def parameters(model: type[BaseModel], names: list[str]) -> str:
    """'`probability` (number ≥ 0, ≤ 1)' for each of some keys, in one cell."""
    schema = model.model_json_schema()
    said = []
    for name in names:
        kind, unit, default, limits = _described(name, schema["properties"][name], name in schema["required"])
        words = f"{kind} {limits}".strip() + (f" {unit}" if unit else "")
        said.append(f"{code(name)}: {words}" + ("" if default == "required" else f" (default {default})"))
    return "; ".join(said)


def unit_of(name: str) -> str:
    """From the end of a key's name; the longest that fits."""
    ends = [end for end in _UNITS if name.endswith(end)]
    return _UNITS[max(ends, key=len)] if ends else ""


def _described(name: str, of: Schema, required: bool) -> tuple[str, str, str, str]:
    """Type, unit, default, limits."""
    default = "required" if required else _value(of.get("default"))
    return _type(of), unit_of(name), default, "; ".join(dict.fromkeys(_limits(of)))


def _meaning(model: type[BaseModel], name: str, docs: dict[str, str]) -> str:
    if name not in docs:
        raise Undocumented(
            f"{model.__module__}.{model.__name__}.{name}: a docstring below it says what it means"
        )
    return _PAGE.sub(r"[\1](\1)", docs[name])


def _is_section(of: Schema) -> bool:
    return "$ref" in of


def _type(of: Schema) -> str:
    if "$ref" in of:
        return "map"
    if "discriminator" in of or "oneOf" in of:
        return "map"
    if "anyOf" in of:
        return " or ".join(dict.fromkeys(_type(one) for one in of["anyOf"]))
    if "enum" in of:
        return ", ".join(map(_value, of["enum"]))
    if "const" in of:
        return _value(of["const"])
    if of["type"] == "array":
        inside = of.get("prefixItems", [of.get("items", {})])
        return "list of " + ", ".join(dict.fromkeys(_type(one) for one in inside))
    if of["type"] == "object":
        return "map"
    return _TYPES[of["type"]]


def _limits(of: Schema) -> list[str]:
    """Its own and those of what it may be instead or consists of."""
    own = " and ".join(f"{sign}{_number(of[key])}" for key, sign in _LIMITS.items() if key in of)
    if "minimum" in of and "maximum" in of:
        own = f"{_number(of['minimum'])} to {_number(of['maximum'])}"
    length = [
        f"{word} {_number(of[key])} {'long' if 'Items' in key else 'characters'}"
        for key, word in (("minItems", "at least"), ("maxItems", "at most"), ("maxLength", "at most"))
        if key in of and "prefixItems" not in of
    ]
    inner = [*of.get("anyOf", ()), *([of["items"]] if isinstance(of.get("items"), dict) else ())]
    pattern = [_PATTERNS.get(of["pattern"], code(of["pattern"]))] if "pattern" in of else []
    return [*([own] if own else []), *length, *pattern, *(text for one in inner for text in _limits(one))]


def _number(value: float) -> str:
    return f"{value:,}".removesuffix(".0") if abs(value) < 2**31 else f"{value:g}"


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value)
    return code(value if isinstance(value, str) and value else json.dumps(value))
