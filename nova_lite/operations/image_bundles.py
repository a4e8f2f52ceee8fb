"""Images of bundles in the object store: registered by their manifest, then imported as any other image.

The import is a row like those of other imports: who does it reads the bundle with keys of the user who registered
it, so that a user can register only what it may read.
"""

import dataclasses
import hashlib
from collections.abc import Iterator

from nova_lite.core import clock, ids
from nova_lite.core.bundle import BadBundle, BundlePart, BundleStep, Manifest
from nova_lite.core.context import RequestContext, system_context
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.image import Image, ImageStatus, Visibility
from nova_lite.drivers.image import bundle
from nova_lite.drivers.image.objects import ObjectSource
from nova_lite.operations.certificates import Certificates
from nova_lite.operations.identity import Identity
from nova_lite.operations.image_imports import ImageImports
from nova_lite.operations.images import Images

_LONGEST_MANIFEST = 4 * 1024 * 1024


class BundleReader:
    """Reads bundles as a user of a project."""

    def __init__(
        self, source: ObjectSource, identity: Identity, certificates: Certificates, *, only_signed: bool = False
    ) -> None:
        self._source = source
        self._identity = identity
        self._certificates = certificates
        self._only_signed = only_signed

    def manifest(self, user_id: str, project_id: str, location: str) -> Manifest:
        """Return the manifest at ``bucket/key``; raises BadBundle, NotFound, InvalidInput, Unavailable."""
        bucket, _, key = location.partition("/")
        if not bucket or not key:
            raise BadBundle(BundleStep.DOWNLOAD, "A manifest is named by its bucket and its key.")
        text = b""
        for chunk in self._source.read(self._keys(user_id, project_id), bucket, key):
            text += chunk
            if len(text) > _LONGEST_MANIFEST:
                raise BadBundle(BundleStep.DOWNLOAD, "The manifest is too long.")
        if self._only_signed:
            text = self._signed_by(user_id, project_id, text)
        return bundle.parse_manifest(text)

    def _signed_by(self, user_id: str, project_id: str, text: bytes) -> bytes:
        """Return what of a manifest a user signed; raises BadBundle."""
        found = bundle.signed_part(text)
        if found is None or not self._certificates.verifies(system_context(), user_id, project_id, *found[1:]):
            raise BadBundle(
                BundleStep.DOWNLOAD, "The manifest is not signed with the key of a certificate of who registers it."
            )
        return found[0]

    def read(self, user_id: str, project_id: str, location: str) -> Iterator[bytes]:
        """Yield the image; raises as ``manifest``."""
        manifest = self.manifest(user_id, project_id, location)
        context = system_context()
        key, iv = (
            bundle.key_of(self._certificates.decrypt(context, project_id, encrypted))
            for encrypted in (manifest.key, manifest.iv)
        )
        bucket, _, name = location.partition("/")
        folder = name[: name.rfind("/") + 1]
        keys = self._keys(user_id, project_id)
        parts = (
            chunk
            for part in manifest.parts
            for chunk in self._part(keys, bucket, f"{folder}{part.name}", part)
        )
        yield from bundle.unbundle(parts, manifest, key, iv)

    def _part(self, keys: Ec2Credential, bucket: str, key: str, part: BundlePart) -> Iterator[bytes]:
        digest = hashlib.sha1(usedforsecurity=False)
        try:
            for chunk in self._source.read(keys, bucket, key):
                digest.update(chunk)
                yield chunk
        except NotFound as error:
            raise BadBundle(BundleStep.DOWNLOAD, f"The part {part.name} of the bundle is missing.") from error
        if part.sha1 and digest.hexdigest() != part.sha1:
            raise BadBundle(BundleStep.DOWNLOAD, f"The part {part.name} of the bundle is damaged.")

    def _keys(self, user_id: str, project_id: str) -> Ec2Credential:
        """Return keys of a user, those of the project where there are any; raises InvalidInput."""
        found = self._identity.list_ec2_credentials(system_context(), user_id)
        if not found:
            raise InvalidInput("Whoever registers a bundle needs EC2 credentials.")
        mine = next((keys for keys in found if keys.project_id == project_id), found[0])
        return dataclasses.replace(mine, project_id=project_id)


@dataclasses.dataclass(frozen=True, slots=True)
class NewBundledImage:
    """What an image of a bundle is called, and the images that it needs, by their ids in the image service."""

    name: str
    description: str = ""
    architecture: str = ""
    kernel_id: str = ""
    ramdisk_id: str = ""


class ImageBundles:
    """The operations on bundles."""

    def __init__(self, reader: BundleReader, images: Images, imports: ImageImports) -> None:
        self._reader = reader
        self._images = images
        self._imports = imports

    def manifest(self, context: RequestContext, location: str) -> Manifest:
        """Return a manifest that the caller may read; raises BadBundle, NotFound, InvalidInput, Unavailable."""
        return self._reader.manifest(context.user_id, context.project_id, location)

    def register(
        self, context: RequestContext, location: str, manifest: Manifest, new: NewBundledImage
    ) -> Image:
        """Make an image of a bundle, private, and order its import; raises as ``Images.create``."""
        now = clock.now()
        properties = {
            "image_location": location,
            "architecture": new.architecture or manifest.architecture,
            "description": new.description,
            "kernel_id": new.kernel_id,
            "ramdisk_id": new.ramdisk_id,
            "root_device_name": _device(dict(manifest.mappings).get("root", "")),
        }
        image = Image(
            id=ids.new_uuid(),
            name=new.name or None,
            status=ImageStatus.QUEUED,
            visibility=Visibility.SHARED,
            owner=context.project_id,
            created_at=now,
            updated_at=now,
            disk_format=manifest.kind,
            container_format=manifest.kind,
            properties={name: value for name, value in properties.items() if value},
        )
        made = self._images.create(context, image)
        self._imports.begin_bundle(context, made.id, location)
        return made


def _device(name: str) -> str:
    return f"/dev/{name.removeprefix('/dev/')}" if name else ""
