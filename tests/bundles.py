"""Bundles of images as ec2-ami-tools and euca2ools make them."""

import hashlib
import io
import tarfile
import zlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY, IV = bytes(range(16)), bytes(range(16, 32))
PART_BYTES = 64 * 1024


def archive_of(name: str, image: bytes, *more: tarfile.TarInfo) -> bytes:
    """Return a tar archive of one file, or of it and others."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(image)
        tar.addfile(member, io.BytesIO(image))
        for each in more:
            tar.addfile(each)
    return buffer.getvalue()


def encrypted(archive: bytes, key: bytes = KEY) -> bytes:
    """Return an archive packed and encrypted."""
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    packed = packer.compress(archive) + packer.flush()
    padder = padding.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(IV)).encryptor()
    return encryptor.update(padder.update(packed) + padder.finalize()) + encryptor.finalize()


class Bundle:
    """A bundle: its parts by name, and its manifest."""

    def __init__(
        self,
        name: str,
        image: bytes,
        authority: str,
        *,
        archive: bytes | None = None,
        kernel_id: str = "",
        ramdisk_id: str = "",
        size: int | None = None,
        key: bytes = KEY,
        part_bytes: int = PART_BYTES,
    ) -> None:
        archive = archive_of(name, image) if archive is None else archive
        body = encrypted(archive, key)
        pieces = [body[at : at + part_bytes] for at in range(0, len(body), part_bytes)]
        self.parts = {f"{name}.part.{number}": piece for number, piece in enumerate(pieces)}
        public = x509.load_pem_x509_certificates(authority.encode())[0].public_key()
        secrets = [
            public.encrypt(value.hex().encode(), rsa_padding.PKCS1v15()).hex()  # type: ignore[union-attr]
            for value in (KEY, IV)
        ]
        size = len(image) if size is None else size
        self.manifest = _manifest(name, size, hashlib.sha1(archive).hexdigest(), self.parts, secrets)
        for tag, value in (("kernel_id", kernel_id), ("ramdisk_id", ramdisk_id)):
            said = f"<{tag}>{escape(value)}</{tag}></machine_configuration>".encode()
            self.manifest = (
                self.manifest.replace(b"</machine_configuration>", said) if value else self.manifest
            )


def _manifest(name: str, size: int, sha1: str, parts: dict[str, bytes], secrets: Sequence[str]) -> bytes:
    listed = "".join(
        f'<part index="{number}"><filename>{escape(part)}</filename>'
        f'<digest algorithm="SHA1">{hashlib.sha1(content).hexdigest()}</digest></part>'
        for number, (part, content) in enumerate(parts.items())
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><manifest><version>2007-10-10</version>"
        "<bundler><name>tests</name><version>1</version><release>0</release></bundler>"
        "<machine_configuration><architecture>x86_64</architecture><block_device_mapping>"
        "<mapping><virtual>ami</virtual><device>sda1</device></mapping>"
        "<mapping><virtual>root</virtual><device>/dev/sda1</device></mapping></block_device_mapping>"
        f"</machine_configuration><image><name>{escape(name)}</name><user>42</user><type>machine</type>"
        f'<digest algorithm="SHA1">{sha1}</digest><size>{size}</size>'
        f'<ec2_encrypted_key algorithm="AES-128-CBC">{secrets[0]}</ec2_encrypted_key>'
        f"<ec2_encrypted_iv>{secrets[1]}</ec2_encrypted_iv>"
        f'<parts count="{len(parts)}">{listed}</parts></image></manifest>'
    ).encode()


def signed(manifest: bytes, private_key: str) -> bytes:
    """Return a manifest signed as Amazon's tools sign it: over the text of two of its elements."""
    text = b"".join(
        manifest[manifest.index(b"<%b>" % name) : manifest.index(b"</%b>" % name) + len(b"</%b>" % name)]
        for name in (b"machine_configuration", b"image")
    )
    key = serialization.load_pem_private_key(private_key.encode(), None)
    signature = key.sign(text, rsa_padding.PKCS1v15(), hashes.SHA1())  # type: ignore[union-attr, call-arg, arg-type]
    return manifest.replace(b"</manifest>", b"<signature>%b</signature></manifest>" % signature.hex().encode())
