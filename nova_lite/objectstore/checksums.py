"""The checksums of S3's clients, by name: as a running sum, and put together from those of parts."""

import base64
import binascii
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

from awscrt import checksums as crc

PREFIX = "x-amz-checksum-"
FULL_OBJECT = "FULL_OBJECT"
COMPOSITE = "COMPOSITE"


class Sum(Protocol):
    """A checksum that grows."""

    def update(self, data: bytes, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """Return the checksum of all bytes so far."""


class _Crc:
    def __init__(self, function: Callable[[bytes, int], int], width: int) -> None:
        self._function = function
        self._width = width
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._width, "big")


class _Crt:
    """A sum that can be ended once only."""

    def __init__(self, running: crc.XXHash) -> None:
        self.update = running.update
        self.digest = running.finalize


@dataclasses.dataclass(frozen=True, slots=True)
class Algorithm:
    """A checksum: how it is made, its length in bytes, and for a CRC how two are put together."""

    name: str
    make: Callable[[], Sum]
    length: int
    combine: Callable[[int, int, int], int] | None = None

    @property
    def header(self) -> str:
        """The header that tells its value."""
        return PREFIX + self.name.lower()

    @property
    def element(self) -> str:
        """The XML element that tells its value."""
        return f"Checksum{self.name}"

    def is_value(self, text: str) -> bool:
        """Tell whether ``text`` is a value of this checksum in base64."""
        try:
            return len(base64.b64decode(text, validate=True)) == self.length
        except (binascii.Error, ValueError):
            return False


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("CRC32", lambda: _Crc(crc.crc32, 4), 4, crc.combine_crc32),
        Algorithm("CRC32C", lambda: _Crc(crc.crc32c, 4), 4, crc.combine_crc32c),
        Algorithm("CRC64NVME", lambda: _Crc(crc.crc64nvme, 8), 8, crc.combine_crc64nvme),
        Algorithm("MD5", lambda: hashlib.md5(usedforsecurity=False), 16),
        Algorithm("SHA1", lambda: hashlib.sha1(usedforsecurity=False), 20),
        Algorithm("SHA256", hashlib.sha256, 32),
        Algorithm("SHA512", hashlib.sha512, 64),
        Algorithm("XXHASH64", lambda: _Crt(crc.XXHash.new_xxhash64()), 8),
        Algorithm("XXHASH3", lambda: _Crt(crc.XXHash.new_xxhash3_64()), 8),
        Algorithm("XXHASH128", lambda: _Crt(crc.XXHash.new_xxhash3_128()), 16),
    )
}
"""Every checksum by its name."""
BY_HEADER = {algorithm.header: algorithm for algorithm in ALGORITHMS.values()}
OF_CHECKSUMS = (f"{PREFIX}algorithm", f"{PREFIX}mode", f"{PREFIX}type")
"""Headers that say something of checksums, and are none."""


@dataclasses.dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum of an object or a part in base64; a composite one is over those of the parts."""

    algorithm: str
    value: str
    kind: str = FULL_OBJECT

    def kept(self) -> list[str]:
        """Return the form in which it is kept among an object's details."""
        return [self.algorithm, self.value, self.kind]

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        return {ALGORITHMS[self.algorithm].header: self.value, "x-amz-checksum-type": self.kind}

    def fields(self, *, kind: bool = True) -> list[tuple[str, str]]:
        """Return the XML elements that tell it."""
        return [
            (ALGORITHMS[self.algorithm].element, self.value),
            *([("ChecksumType", self.kind)] if kind else []),
        ]


def kept(found: object) -> Checksum | None:
    """Return the checksum that was kept, if any."""
    return Checksum(*found) if isinstance(found, list | tuple) and found and found[0] else None


def of_parts(algorithm: Algorithm, kind: str, parts: Sequence[tuple[str, int]]) -> Checksum:
    """Return the checksum of an object from the values and sizes of its parts."""
    digests = [base64.b64decode(value) for value, _ in parts]
    if kind == FULL_OBJECT and algorithm.combine is not None:
        total = 0
        for digest, (_, size) in zip(digests, parts, strict=True):
            total = algorithm.combine(total, int.from_bytes(digest, "big"), size)
        whole = total.to_bytes(algorithm.length, "big")
        return Checksum(algorithm.name, base64.b64encode(whole).decode(), FULL_OBJECT)
    running = algorithm.make()
    running.update(b"".join(digests))
    value = f"{base64.b64encode(running.digest()).decode()}-{len(parts)}"
    return Checksum(algorithm.name, value, COMPOSITE)
