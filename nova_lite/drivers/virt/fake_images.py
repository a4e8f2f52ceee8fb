"""The images that simulated guests start from: looked at as real ones are, and only their sizes kept."""

import hashlib
import os
import time
from pathlib import Path

from nova_lite import concurrency
from nova_lite.core.errors import DriverError
from nova_lite.drivers.virt import image_safety
from nova_lite.drivers.virt.guest import GuestImage


class FakeImageCache:
    """A folder with a file for each image, which has the image's size in it; ``age`` None keeps all of them."""

    def __init__(self, folder: Path, *, age: float | None = 86400.0) -> None:
        self._folder = folder
        self._age = age

    def use(self, image: GuestImage, limit: int) -> str:
        """Return the name under which an image is kept.

        Raises DriverError when it is damaged, not what it says, not safe, or larger than ``limit`` bytes, 0 for any.
        """
        _bound(image, image.size, limit)
        path = self._folder / hashlib.sha1(image.id.encode(), usedforsecurity=False).hexdigest()
        if not path.exists():
            with concurrency.named_lock(f"image-{path}"):
                if not path.exists():
                    self._bring(image, path, limit)
        _bound(image, int(path.read_text()), limit)
        os.utime(path)
        return path.name

    def _bring(self, image: GuestImage, path: Path, limit: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            image.fetch(new)
            size = image_safety.check(new, image.disk_format, image.id)
            _bound(image, size, limit)
            new.write_text(str(size))
            new.rename(path)
        except OSError as error:
            raise DriverError(f"cannot store image {image.id} on the host: {error.strerror}.") from error
        finally:
            new.unlink(missing_ok=True)

    def clean(self, used: set[str]) -> tuple[str, ...]:
        """Forget images that are not ``used`` and have not been for some time; returns their names."""
        if self._age is None or not self._folder.is_dir():
            return ()
        due = [path for path in self._folder.iterdir() if time.time() - path.stat().st_mtime >= self._age]
        gone = [path for path in due if path.name not in used]
        for path in gone:
            path.unlink(missing_ok=True)
        return tuple(path.name for path in gone)


def _bound(image: GuestImage, size: int, limit: int) -> None:
    if limit and size > limit:
        raise DriverError(f"cannot make the disk: image {image.id} is larger than the flavor's disk.")
