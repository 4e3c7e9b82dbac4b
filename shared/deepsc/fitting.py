"""Cuts texts to what a bundle of DeepSC's accepts. Functions of a folder; they raise `BundleError`."""

from collections.abc import Callable
from pathlib import Path

from shared.deepsc.bundle import DeepscBundle


def deepsc(folder: Path) -> Callable[[str], str]:
    return DeepscBundle.load(folder, "deepsc").fit


def deepsc_vqa(folder: Path) -> Callable[[str], str]:
    return DeepscBundle.load(folder, "deepsc_vqa").fit
