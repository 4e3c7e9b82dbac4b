"""The files of a run on a host that is not the command's: what is brought there, and what is fetched back."""

import os
import shutil
from pathlib import Path

from launch.errors import LaunchError
from launch.host_api import PIECE_BYTES
from launch.runfolder import JOURNAL_FILE
from launch.temp_dirs import make_temp_dir
from shared.semantic.manifest import BundleError, check_all, read_manifest
from shared.shipped import bundle_folder

_LEFT_BEHIND = (JOURNAL_FILE, "resources.csv", "counters/*", "logs/*")


def make_host_folder() -> Path:
    """Like a run folder, for a host that has none; whoever made it removes it."""
    folder = make_temp_dir("host")
    for name in ("logs", "counters"):
        (folder / name).mkdir()
    (folder / JOURNAL_FILE).touch()
    return folder


def left_behind(folder: Path) -> list[tuple[str, int]]:
    """What is to be fetched: name and size in bytes."""
    found = [path for pattern in _LEFT_BEHIND for path in sorted(folder.glob(pattern)) if path.is_file()]
    return [(str(path.relative_to(folder)), path.stat().st_size) for path in found]


def read_piece(folder: Path, name: str, offset: int) -> bytes:
    """Raises `LaunchError`."""
    try:
        with _inside(folder, name).open("rb") as file:
            file.seek(offset)
            return file.read(PIECE_BYTES)
    except OSError as error:
        raise LaunchError(f"{folder / name}: cannot be read ({error.strerror})") from None


def write_piece(folder: Path, name: str, offset: int, data: bytes) -> None:
    """Raises `LaunchError`."""
    path = _inside(folder, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            view = memoryview(data)
            while view:
                written = os.pwrite(fd, view, offset)
                view, offset = view[written:], offset + written
        finally:
            os.close(fd)
    except OSError as error:
        raise LaunchError(f"{path}: cannot be written ({error.strerror})") from None


def _inside(folder: Path, name: str) -> Path:
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise LaunchError(f"{name}: not a file of the run folder")
    return path


class BundleShelf:
    """Bundles that were brought to this host, each by its fingerprint, kept for later runs."""

    def __init__(self, folder: Path | None = None) -> None:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        self._folder = folder or cache / "m4sc" / "bundles"

    def find(self, bundle: str, fingerprint: str) -> str | None:
        """Where named, as far as its manifest says, else on the shelf. Roles check the files at the load."""
        for folder in (bundle_folder(bundle), self._folder / fingerprint):
            try:
                if folder.is_dir() and read_manifest(folder).fingerprint == fingerprint:
                    return str(folder)
            except BundleError:
                continue  # another one of this name, or half of one: not what is looked for
        return None

    def put(self, fingerprint: str, name: str, offset: int, data: bytes) -> None:
        """Raises `LaunchError`."""
        write_piece(self._part(fingerprint), name, offset, data)

    def keep(self, fingerprint: str) -> str:
        """Every byte is checked first. Raises `LaunchError`."""
        part, final = self._part(fingerprint), self._folder / fingerprint
        try:
            manifest = read_manifest(part)
            check_all(part, manifest)
            if manifest.fingerprint != fingerprint:
                raise LaunchError(f"bundle {fingerprint[:16]}: what arrived is {manifest.fingerprint[:16]}")
            if not final.exists():  # another run may have brought it meanwhile
                part.rename(final)
        except BundleError as error:
            raise LaunchError(f"bundle {fingerprint[:16]}: it arrived damaged: {error}") from None
        except OSError as error:
            raise LaunchError(f"{final}: cannot be kept ({error.strerror})") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return str(final)

    def _part(self, fingerprint: str) -> Path:
        return self._folder / f".{fingerprint[:16]}-{os.getpid()}.part"
