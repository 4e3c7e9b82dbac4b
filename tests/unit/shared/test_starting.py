"""A bundle is read once in a process, and again when its files are others."""

import shutil
from pathlib import Path

import pytest

from shared.semantic.bundle import WEIGHTS_FILE, BundleError
from shared.shipped import SHIPPED_BUNDLES
from shared.starting import load_bundle


def test_a_bundle_is_read_once_and_again_when_a_file_has_changed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED_BUNDLES / "micro", tmp_path / "micro"))
    receiver, sender = load_bundle(str(folder), "receiver"), load_bundle(str(folder), "sender")
    assert (receiver.roles, sender.roles) == ("receiver", "sender")
    assert receiver.tensors is sender.tensors
    with pytest.raises(BundleError, match="loaded for the receiver, asked for the sender"):
        receiver.model("sender")

    weights = bytearray((folder / WEIGHTS_FILE).read_bytes())
    weights[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(weights)
    with pytest.raises(BundleError, match=WEIGHTS_FILE):
        load_bundle(str(folder))
    with pytest.raises(BundleError, match="no such"):
        load_bundle(str(tmp_path / "nowhere"))
