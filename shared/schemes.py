"""Schemes: what a base station sends instead of an image and a question, and what a UE makes of it.

A scheme is a sender half (`basestation.half`) and a receiver half (`userequipment.half`), each named here by
the path of the function that makes it, so that a role imports its own half and nobody else imports any.
`RunConfig.scheme` is a name of `SCHEMES`, or the dotted name of a module that has a `SCHEME`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Scheme:
    """`sender` and `receiver` are paths, 'package.module:function'.

    `unused` names settings that it has no use for, and that must be left at their defaults; `only` those of
    which it can do some values. `coded`: it codes bits whatever the channel's mode (the library takes seconds
    to import).
    """

    name: str
    sender: str
    receiver: str
    unused: tuple[str, ...] = ()
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    coded: bool = False


TOKEN_SETTINGS = (
    "rate.image_tokens",
    "rate.image_eighths",
    "rate.target",
    "cache.images",
    "channel.codec",
    "channel.public_power_db",
    "sharing.cosine_threshold",
    "sharing.mean_threshold",
    "sharing.variance_threshold",
)
"""Of schemes that send the model's tokens."""
IMAGE_SETTINGS = ("baseline.image_codec", "baseline.quality", "baseline.image_uses", "baseline.image_size")
"""Of schemes that send a picture."""


def _coded(name: str, unused: tuple[str, ...] = (), **only: tuple[Any, ...]) -> Scheme:
    return Scheme(
        name,
        f"basestation.schemes.{name}:sender_half",
        f"userequipment.schemes.{name}:receiver_half",
        (*TOKEN_SETTINGS, *unused),
        only,
        coded=True,
    )


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "m4sc",
            "basestation.schemes.m4sc:sender_half",
            "userequipment.schemes.m4sc:receiver_half",
            unused=IMAGE_SETTINGS,
        ),
        _coded("webp_ldpc"),
        _coded("caption_ldpc", IMAGE_SETTINGS),
        _coded("answer_only", IMAGE_SETTINGS, question_at=("bs",), control=("none", "another_image")),
    )
}


def scheme_of(name: str) -> Scheme:
    """Raises ValueError, one line, for a name that is no scheme's."""
    if name in SCHEMES:
        return SCHEMES[name]
    known = f"expected one of {', '.join(SCHEMES)}, or a module that has a SCHEME"
    if not all(part.isidentifier() for part in name.split(".")) or "." not in name:
        raise ValueError(f"scheme: {name!r} is not known, {known}")
    try:
        found = getattr(importlib.import_module(name), "SCHEME", None)
    except ImportError as error:
        raise ValueError(f"scheme: {name} cannot be imported ({error}), {known}") from None
    if not isinstance(found, Scheme):
        raise ValueError(f"scheme: {name} has no SCHEME, {known}")
    return found


def check_scheme(scheme: Scheme, config: BaseModel) -> None:
    """Whether a scheme can do what is asked. Raises ValueError, one line that names the setting."""
    for key in scheme.unused:
        value, default = _setting(config, key)
        if value != default:
            raise ValueError(
                f"{key}: scheme {scheme.name!r} does not use it, expected its default, {default}"
            )
    for key, allowed in scheme.only.items():
        value, _ = _setting(config, key)
        if value not in allowed:
            choices = " or ".join(map(str, allowed))
            raise ValueError(f"{key}: scheme {scheme.name!r} can do {choices}, not {value}")


def half(path: str) -> Any:
    """The function that makes a half. Raises ValueError for a path that leads nowhere."""
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"scheme: {path} cannot be loaded ({error})") from None


def _setting(config: BaseModel, key: str) -> tuple[Any, Any]:
    """The value of 'section.name', and its default."""
    *sections, name = key.split(".")
    for section in sections:
        config = getattr(config, section)
    return getattr(config, name), type(config).model_fields[name].get_default()
