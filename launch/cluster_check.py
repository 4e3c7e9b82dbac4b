"""Checks that cost nothing and spare a person the wait for a start that cannot succeed."""

import socket

from launch.cluster import require_ray
from launch.errors import LaunchError
from shared.config import RunConfig
from shared.config_file import ConfigError
from shared.link_curve import curve_available
from shared.rate_table import RateTableError, read_rates
from shared.semantic.manifest import BundleError, read_manifest
from shared.shipped import SHIPPED_BUNDLES, bundle_folder

_REACH_S = 3.0
_BUNDLE_FILES = (("config.json",), ("tokenizer.json",), ("weights.safetensors", "bundle.json"))


def checked(config: RunConfig) -> RunConfig:
    """The configuration, the bundle's path made absolute. Raises `LaunchError` or `ConfigError`."""
    require_ray()
    if config.security.curve_on() and not curve_available():
        raise ConfigError("security.curve: this machine's ZeroMQ was built without CURVE")
    address = config.cluster.address
    if address is not None and "://" in address:
        raise LaunchError(f"cluster.address {address}: expected host:port of a running Ray, not a client URL")
    if address is not None and address != "auto":
        _reach(address)
    return _with_bundle(config)


def _reach(address: str) -> None:
    """Ray itself tries for minutes to reach a cluster that is not there."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise LaunchError(f"cluster.address {address}: expected host:port of a running Ray")
    try:
        socket.create_connection((host, int(port)), _REACH_S).close()
    except OSError as error:
        raise LaunchError(f"cluster.address {address}: no Ray there ({error.strerror or error})") from None


def _with_bundle(config: RunConfig) -> RunConfig:
    """A shipped name stays as it is, anything else is a folder. The roles judge what is in the files."""
    folder = bundle_folder(config.bundle)
    if folder.parent != SHIPPED_BUNDLES:
        folder = folder.absolute()
        config = config.model_copy(update={"bundle": str(folder)})
    if not folder.is_dir():
        names = ", ".join(sorted(p.name for p in SHIPPED_BUNDLES.iterdir() if p.is_dir())) or "none"
        raise ConfigError(f"bundle: {folder}: no such folder (shipped: {names})")
    for either in _BUNDLE_FILES:  # large weights lie in several files, which bundle.json names
        if not any((folder / name).is_file() for name in either):
            raise ConfigError(f"bundle: {folder}: {either[0]} is missing")
    if config.rate.target is not None:
        try:
            read_rates(folder, read_manifest(folder).fingerprint)
        except (RateTableError, BundleError) as error:
            raise ConfigError(f"rate.target: {error}") from None
    return config
