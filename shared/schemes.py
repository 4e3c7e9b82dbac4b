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

from shared.own_module import from_own_module
from shared.wire.messages import TASKS


@dataclass(frozen=True, slots=True)
class Scheme:
    """`sender` and `receiver` are paths, 'package.module:function'.

    `unused` names settings that it has no use for, and that must be left at their defaults; `only` those
    of which it can do some values. `coded`: it codes bits whatever the channel's mode (the library takes
    seconds to import). `tasks`: those that it serves. `fitter`: path of the function that, given a
    bundle's folder, gives the one that cuts a text to what the bundle accepts. `own_weights`: it needs a
    bundle of its own, which is named.
    """

    name: str
    sender: str
    receiver: str
    unused: tuple[str, ...] = ()
    only: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    coded: bool = False
    tasks: tuple[str, ...] = TASKS
    fitter: str = "shared.semantic.prompt:text_fitter"
    own_weights: bool = False


TOKEN_SETTINGS = (
    "rate.selection",
    "rate.image_tokens",
    "rate.image_eighths",
    "rate.text_eighths",
    "rate.target",
    "cache.images",
    "channel.codec",
    "channel.public_power_db",
    "sharing.similar",
    "sharing.compare_at",
    "sharing.least_snr_db",
    "sharing.cosine_threshold",
    "sharing.mean_threshold",
    "sharing.variance_threshold",
)
"""Of schemes that send the model's tokens."""
IMAGE_SETTINGS = ("baseline.image_codec", "baseline.quality", "baseline.image_uses", "baseline.image_size")
"""Of schemes that send a picture."""

MODEL_SETTINGS = (
    "split_layer",
    "reasoning",
    "max_new_tokens",
    *(key for key in TOKEN_SETTINGS if key != "rate.image_eighths"),
    *IMAGE_SETTINGS,
    "channel.tokens_per_frame",
)
"""Of schemes that answer by a language model; those of DeepSC's kind have none."""


def _coded(name: str, unused: tuple[str, ...] = (), **only: tuple[Any, ...]) -> Scheme:
    return Scheme(
        name,
        f"basestation.schemes.{name}:sender_half",
        f"userequipment.schemes.{name}:receiver_half",
        (*TOKEN_SETTINGS, *unused),
        only,
        coded=True,
    )


def _analog(name: str, task: str, unused: tuple[str, ...] = (), **only: tuple[Any, ...]) -> Scheme:
    return Scheme(
        name,
        f"basestation.schemes.{name}:sender_half",
        f"userequipment.schemes.{name}:receiver_half",
        (*MODEL_SETTINGS, *unused),
        {"question_at": ("bs",), "channel.mode": ("analog",), **only},
        tasks=(task,),
        fitter=f"shared.deepsc.fitting:{name}",
        own_weights=True,
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
        _analog("deepsc", "text_classification", ("rate.image_eighths",), control=("none",)),
        _analog("deepsc_vqa", "vqa"),
        _coded("answer_only", IMAGE_SETTINGS, question_at=("bs",), control=("none", "another_image")),
    )
}


def scheme_of(name: str) -> Scheme:
    """Raises ValueError, one line, for a name that is no scheme's."""
    if name in SCHEMES:
        return SCHEMES[name]
    return from_own_module(name, "SCHEME", Scheme, "scheme", SCHEMES)


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
    asked, _ = _setting(config, "workload.asked_tasks")
    for task in asked:
        if task not in scheme.tasks:
            served = " and ".join(scheme.tasks)
            raise ValueError(f"workload.tasks: scheme {scheme.name!r} serves {served}, not {task}")


def half(path: str) -> Any:
    """The function that makes a half. Raises ValueError for a path that leads nowhere."""
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"scheme: {path} cannot be loaded ({error})") from None


def _setting(config: BaseModel, key: str) -> tuple[Any, Any]:
    """The value of 'section.name', and its default (None where it is worked out)."""
    *sections, name = key.split(".")
    for section in sections:
        config = getattr(config, section)
    known = type(config).model_fields.get(name)
    return getattr(config, name), None if known is None else known.get_default()
