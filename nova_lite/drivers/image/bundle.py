"""Reading bundles: the manifest's XML, and the archive as a stream of which nothing is ever kept whole.

Nothing is unpacked to a place that the archive names: the bytes of its one file are handed on, and that is all.
"""

import hashlib
import io
import re
import tarfile
import xml.etree.ElementTree as ElementTree
import zlib
from collections.abc import Iterable, Iterator

import defusedxml.ElementTree
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from nova_lite.core.bundle import BadBundle, BundlePart, BundleStep, Manifest

_CHUNK = 1024 * 1024
_MOST_PARTS = 10_000
_PART_NAME = re.compile(r"[^/\x00-\x1f]{1,255}")
_SIGNED = (b"machine_configuration", b"image")
_SIGNATURE = re.compile(rb"<signature>\s*([0-9a-fA-F]{2,4096})\s*</signature>")
_BLOCK_BITS = 128
_GZIP = 16 + zlib.MAX_WBITS
_MOST_BESIDE = 1024 * 1024
"""Bytes that an archive may hold before its file's own and after them: the library keeps long headers whole."""


def parse_manifest(text: bytes) -> Manifest:
    """Read a manifest; raises BadBundle."""
    try:
        root = defusedxml.ElementTree.fromstring(text)
        parts = [_part(element) for element in root.findall("./image/parts/part")] or [
            BundlePart(element.text or "", "") for element in root.findall("./image/filename")
        ]
        manifest = Manifest(
            kind=_kind(root),
            architecture=_text(root, "machine_configuration/architecture") or "x86_64",
            kernel_id=_reference(root, "machine_configuration/kernel_id"),
            ramdisk_id=_reference(root, "machine_configuration/ramdisk_id"),
            key=bytes.fromhex(_text(root, "image/ec2_encrypted_key")),
            iv=bytes.fromhex(_text(root, "image/ec2_encrypted_iv")),
            parts=tuple(parts),
            size=int(_text(root, "image/size") or 0),
            sha1=_text(root, "image/digest").lower(),
            mappings=tuple(
                (_text(one, "virtual"), _text(one, "device"))
                for one in root.findall("./machine_configuration/block_device_mapping/mapping")
            ),
        )
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadBundle(BundleStep.DOWNLOAD, "The manifest cannot be read.") from error
    if not manifest.key or not manifest.iv or not 1 <= len(parts) <= _MOST_PARTS:
        raise BadBundle(BundleStep.DOWNLOAD, "The manifest names no key or no parts.")
    for part in parts:
        if not _PART_NAME.fullmatch(part.name) or part.name in (".", ".."):
            raise BadBundle(BundleStep.DOWNLOAD, "The manifest names a part that is not beside it.")
    return manifest


def signed_part(text: bytes) -> tuple[bytes, str, str] | None:
    """Return what is signed of a manifest, as a manifest, with its SHA-1 and the signature; None without one.

    The tools sign the text of two elements. Nothing else of the file may be believed: it could hold others.
    """
    parts = [_first(name, text) for name in _SIGNED]
    signature = _SIGNATURE.search(text)
    if signature is None or not all(parts):
        return None
    signed = b"".join(parts)
    digest = hashlib.sha1(signed, usedforsecurity=False).hexdigest()
    return b"<manifest>" + signed + b"</manifest>", digest, signature[1].decode()


def _first(name: bytes, text: bytes) -> bytes:
    """Return the first element of a name as it is written; nothing where there is none, or where it has no end."""
    start = re.search(rb"<%b[ >]" % name, text)
    if start is None:
        return b""
    end = b"</%b>" % name
    # Each in one go: an expression for both would look for the end once more from each further start.
    before, found, _ = text[start.start() :].partition(end)
    return before + found if found else b""


def unbundle(chunks: Iterable[bytes], manifest: Manifest, key: bytes, iv: bytes) -> Iterator[bytes]:
    """Yield the image out of the encrypted archive; raises BadBundle."""
    archive = _Archive(_unpacked(_decrypted(chunks, key, iv)))
    try:
        with tarfile.open(fileobj=archive, mode="r|", bufsize=64 * 1024) as tar:  # type: ignore[call-overload]
            member = tar.next()
            file = _require_image(tar, member, manifest)
            archive.bound(None)
            while chunk := file.read(_CHUNK):
                yield chunk
            archive.bound(_MOST_BESIDE)
            if tar.next() is not None:
                raise BadBundle(BundleStep.UNTAR, "The archive of the bundle holds more than one file.")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle is damaged.") from error
    archive.finish()
    if manifest.sha1 and archive.sha1 != manifest.sha1:
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle is not the one of its manifest.")


def key_of(decrypted: bytes) -> bytes:
    """Return a key or an IV as it was encrypted: in hexadecimal, or as it is; raises BadBundle."""
    try:
        found = bytes.fromhex(decrypted.decode("ascii").strip()) if len(decrypted) >= 32 else decrypted
    except (UnicodeDecodeError, ValueError) as error:
        raise BadBundle(BundleStep.DECRYPT, "The bundle was encrypted for another cloud.") from error
    if len(found) != 16:
        raise BadBundle(BundleStep.DECRYPT, "The bundle was encrypted for another cloud.")
    return found


def _require_image(
    tar: tarfile.TarFile, member: tarfile.TarInfo | None, manifest: Manifest
) -> io.BufferedIOBase:
    """Return the archive's first file; raises BadBundle for what is no plain file of the announced size."""
    if member is None or not member.isreg():
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle does not begin with a file.")
    if "/" in member.name or member.name in ("", ".", ".."):
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle names a file outside itself.")
    if manifest.size and member.size != manifest.size:
        raise BadBundle(BundleStep.UNTAR, "The image in the bundle is not as large as its manifest says.")
    file = tar.extractfile(member)
    if file is None:
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle does not begin with a file.")
    return file  # type: ignore[return-value]


def _decrypted(chunks: Iterable[bytes], key: bytes, iv: bytes) -> Iterator[bytes]:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
    try:
        for chunk in chunks:
            yield unpadder.update(decryptor.update(chunk))
        yield unpadder.update(decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise BadBundle(BundleStep.DECRYPT, "The bundle cannot be decrypted.") from error


def _unpacked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what is in a gzip stream, in pieces that no stream can blow up."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        for chunk in chunks:
            while chunk:
                yield unpacker.decompress(chunk, _CHUNK)
                chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise BadBundle(BundleStep.DECRYPT, "The bundle is not what its key opens.") from error
    if not unpacker.eof:
        raise BadBundle(BundleStep.UNTAR, "The archive of the bundle ends too early.")


class _Archive:
    """A file to read the archive from, which knows the SHA-1 of all that was read, and how much more may be."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._held = b""
        self._left: int | None = _MOST_BESIDE
        self._digest = hashlib.sha1(usedforsecurity=False)

    @property
    def sha1(self) -> str:
        """The SHA-1 so far, in hexadecimal."""
        return self._digest.hexdigest()

    def bound(self, size: int | None) -> None:
        """Let so many bytes be read from here on, or any number."""
        self._left = size

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes, fewer only at the end; raises BadBundle."""
        while len(self._held) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._digest.update(chunk)
            self._held += chunk
        found, self._held = self._held[:size], self._held[size:]
        self._count(len(found))
        return found

    def finish(self) -> None:
        """Read to the end; raises BadBundle."""
        for chunk in self._chunks:
            self._digest.update(chunk)
            self._count(len(chunk))

    def _count(self, size: int) -> None:
        if self._left is not None:
            self._left -= size
            if self._left < 0:
                raise BadBundle(BundleStep.UNTAR, "The archive of the bundle holds too much beside its file.")


def _kind(root: ElementTree.Element) -> str:
    """Return what the bundle is: kernels and ramdisks say so by naming themselves ``true``."""
    said = _text(root, "image/type")
    if _text(root, "machine_configuration/kernel_id") == "true" or said == "kernel":
        return "aki"
    if _text(root, "machine_configuration/ramdisk_id") == "true" or said == "ramdisk":
        return "ari"
    return "ami"


def _reference(root: ElementTree.Element, path: str) -> str:
    found = _text(root, path)
    return "" if found == "true" else found


def _part(element: ElementTree.Element) -> BundlePart:
    return BundlePart(_text(element, "filename"), _text(element, "digest").lower())


def _text(element: ElementTree.Element, path: str) -> str:
    return (element.findtext(path) or "").strip()
