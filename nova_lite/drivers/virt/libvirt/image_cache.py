"""The cache of base images: fetched once, whole and safe, or not at all."""

import contextlib
import fcntl
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner
from nova_lite.drivers.virt.base import GuestImage

_NEW = ".new"


class ImageCache:
    """Base images in one folder, by their ids."""

    def __init__(self, runner: Runner, folder: Path) -> None:
        self.folder = folder
        self._runner = runner

    def base_image(self, image: GuestImage) -> tuple[Path, int]:
        """Return the cached copy of an image and its virtual size in bytes, fetched if need be."""
        suffix = ".qcow2" if image.disk_format == "qcow2" else ".raw"
        path = self.folder / (hashlib.sha256(image.id.encode()).hexdigest()[:40] + suffix)
        if not path.exists():
            with concurrency.named_lock(f"image-{path}"), self._locked(path):
                if not path.exists():
                    self._fetch(image, path)
        return path, self.examine(path, image)

    def _fetch(self, image: GuestImage, path: Path) -> None:
        """Bring an image into the cache: whole and safe, or not at all."""
        new = path.with_suffix(path.suffix + _NEW)
        try:
            self.fetch_to(image, new)
            self.examine(new, image)
            new.chmod(0o444)
            new.rename(path)
        finally:
            new.unlink(missing_ok=True)

    def fetch_to(self, image: GuestImage, path: Path) -> None:
        """Write an image to a file; raises DriverError."""
        try:
            image.fetch(path)
        except OSError as error:
            raise DriverError(f"cannot store image {image.id} on the host: {error.strerror}.") from error

    def examine(self, path: Path, image: GuestImage) -> int:
        """Return an image's virtual size; raises DriverError when it is not what it says, or not safe."""
        kind = "qcow2" if image.disk_format == "qcow2" else "raw"
        try:
            listed = self._runner.run(["qemu-img", "info", "--output=json", "-f", kind, "-U", str(path)])
        except DriverError as error:
            raise DriverError(f"cannot use image {image.id}: it is not in {kind} format.") from error
        found = json.loads(listed)
        special = found.get("format-specific", {}).get("data", {})
        if found.get("backing-filename") or special.get("data-file"):
            raise DriverError(f"cannot use image {image.id}: it refers to other files.")
        return int(found["virtual-size"])

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Exclude other processes that fetch the same image."""
        with path.with_suffix(".lock").open("w") as lock:
            concurrency.blocking(fcntl.flock, lock, fcntl.LOCK_EX)
            yield
