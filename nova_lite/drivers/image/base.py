"""What an image store is: the place of the bytes of images, by image id.

Rows about images live in the database; a store knows only ids and bytes. Writes are atomic: a reader sees the
whole image or none.
"""

import abc
import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """What was written: size in bytes, MD5 and SHA-512 in hexadecimal."""

    size: int
    md5: str
    sha512: str


class ImageStore(abc.ABC):
    """Keeps the bytes of images."""

    @classmethod
    @abc.abstractmethod
    def from_flags(cls, conf: Any) -> "ImageStore":
        """Build the store from the daemon's flags; touches nothing yet."""

    @abc.abstractmethod
    def start(self) -> None:
        """Check that the store is usable; raises ConfigurationError."""

    @abc.abstractmethod
    def write(self, image_id: str, chunks: Iterable[bytes], limit: int | None = None) -> Stored:
        """Store ``chunks`` as the image's bytes, durable when this returns.

        Raises TooLarge when more than ``limit`` bytes come; nothing is kept when the writing fails.
        """

    @abc.abstractmethod
    def read(self, image_id: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Return the image's bytes in chunks; raises NotFound when there are none."""

    @abc.abstractmethod
    def size(self, image_id: str) -> int | None:
        """Return the number of bytes stored, or None."""

    @abc.abstractmethod
    def delete(self, image_id: str) -> None:
        """Remove the image's bytes; absent ones are not an error."""

    @abc.abstractmethod
    def image_ids(self) -> tuple[str, ...]:
        """Return the ids for which bytes are stored, unfinished writes left out."""
