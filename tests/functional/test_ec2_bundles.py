"""Images the EC2 way: bundled, uploaded to the object store, registered by their manifest, and launched."""

import dataclasses
import datetime
import itertools
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core import clock, metadata_tree
from nova_lite.core import ids as uuids
from nova_lite.core.bundle import BadBundle
from nova_lite.core.image import ImageStatus, ImageTask, TaskStatus
from nova_lite.db import image_tasks, images
from nova_lite.operations.image_imports import BUNDLE
from tests.bundles import Bundle, archive_of, signed
from tests.cloud import Cloud, running
from tests.ec2 import QUICK, SESSION, Ec2
from tests.functional.conftest import NewDatabase

IMAGE = os.urandom(300_000)
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def site(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Site"]:
    """A cloud in which a user has a bucket for bundles; nothing is left over after it."""
    with running(tmp_path_factory.mktemp("bundles"), new_database("sqlite")) as cloud:
        yield Site(cloud)
        cloud.delete_all()
        assert cloud.leaks() == []


class Site:
    """The EC2 API and the object store as a user sees them."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.ec2 = Ec2(cloud)
        self.client = self.ec2.client()
        self.s3: Any = SESSION.client(
            "s3", endpoint_url=cloud.url("s3"), aws_access_key_id=self.ec2.keys.access,
            aws_secret_access_key=self.ec2.keys.secret, region_name="us-east-1",
        )  # fmt: skip
        self.s3.create_bucket(Bucket="bundles")
        self.authority = cloud.ask("GET", "/v2.1/os-certificates/root").json()["certificate"]["data"]

    def upload(self, bundle: Bundle, name: str = "image") -> str:
        """Upload a bundle and return where its manifest is."""
        for part, content in bundle.parts.items():
            self.s3.put_object(Bucket="bundles", Key=f"some/{part}", Body=content)
        self.s3.put_object(Bucket="bundles", Key=f"some/{name}.manifest.xml", Body=bundle.manifest)
        return f"bundles/some/{name}.manifest.xml"

    def register(self, location: str, **options: Any) -> str:
        named = {"Name": f"image-{next(_NUMBERS)}"} | options
        made = self.client.register_image(ImageLocation=location, **named)["ImageId"]
        self.cloud.settle()
        return str(made)

    def shown(self, image_id: str) -> dict[str, Any]:
        return dict(self.client.describe_images(ImageIds=[image_id])["Images"][0])

    def stored(self) -> set[str]:
        return {file.name for file in Path(self.cloud.conf.images_path).iterdir()}


def test_a_bundle_becomes_an_image_that_is_launched(site: Site) -> None:
    kernel = site.register(site.upload(Bundle("vmlinuz", b"kernel" * 99, site.authority, kernel_id="true")))
    ramdisk = site.register(site.upload(Bundle("initrd", b"ramdisk" * 99, site.authority, ramdisk_id="true")))
    location = site.upload(Bundle("image", IMAGE, site.authority, kernel_id=kernel))

    image = site.register(location, Name="bundled", Description="of a bundle", RamdiskId=ramdisk)

    site.client.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=QUICK)
    shown = site.shown(image)
    assert (kernel[:4], ramdisk[:4], image[:4]) == ("aki-", "ari-", "ami-")
    wanted = {
        "State": "available", "ImageLocation": location, "Name": "bundled", "Description": "of a bundle",
        "KernelId": kernel, "RamdiskId": ramdisk, "Public": False, "ImageType": "machine",
        "RootDeviceName": "/dev/sda1", "Architecture": "x86_64",
    }  # fmt: skip
    assert {name: shown.get(name) for name in wanted} == wanted
    listed = site.cloud.ask("GET", "/v2/images?name=bundled", api="image").json()["images"]
    file = site.cloud.ask("GET", f"/v2/images/{listed[0]['id']}/file", api="image")
    assert file.content == IMAGE
    started = site.client.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano")
    instance = started["Instances"][0]["InstanceId"]
    site.client.get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig=QUICK)
    with wiring.desk(site.cloud.conf) as (_, operations):
        running = site.client.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        told = operations.metadata.of_address(running["PrivateIpAddress"])
    meta_data = metadata_tree.ec2_tree(told)["meta-data"]
    wanted = {"ami-manifest-path": location, "ami-id": image, "kernel-id": kernel, "ramdisk-id": ramdisk}
    assert {name: meta_data[name] for name in wanted} == wanted
    other = site.register(site.upload(Bundle("other", b"other" * 99, site.authority, kernel_id="true"), "other"))
    with_other = site.client.run_instances(
        ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano", KernelId=other
    )["Instances"][0]
    assert (with_other["KernelId"], with_other["RamdiskId"]) == (other, ramdisk)
    with pytest.raises(ClientError, match="InvalidAMIID"):
        site.client.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="m1.nano", RamdiskId=other)
    site.cloud.settle()
    for each in (image, kernel, ramdisk, other):
        site.client.deregister_image(ImageId=each)


def symlink() -> tarfile.TarInfo:
    """Return a member that is a way out of the archive."""
    member = tarfile.TarInfo("way-out")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


def long_header() -> bytes:
    """Return a header of tar that a reader would have to keep whole."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 8 * 1024**2
    return header.tobuf(tarfile.USTAR_FORMAT) + b"\0" * header.size


MEMBER = archive_of("image", IMAGE)[: 512 + len(IMAGE) // 512 * 512 + 512]
"""The archive without its end."""


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ({"archive": archive_of("../../etc/cron.d/x", IMAGE)}, "names a file outside itself"),
        ({"archive": archive_of("/etc/passwd", IMAGE)}, "names a file outside itself"),
        ({"archive": archive_of("image", IMAGE, symlink())}, "more than one file"),
        ({"archive": archive_of("image", b"\0" * 50_000_000), "size": 1000}, "not as large as"),
        ({"archive": archive_of("image", IMAGE)[:200_000]}, "damaged"),
        ({"archive": b"no archive"}, "damaged"),
        ({"archive": long_header() + archive_of("image", IMAGE)}, "too much beside its file"),
        ({"archive": MEMBER + long_header() + bytes(1024)}, "too much beside its file"),
        ({"archive": archive_of("image", IMAGE) + bytes(2 * 1024**2)}, "too much beside its file"),
        ({"key": bytes(16)}, "not what its key opens"),
    ],
)
def test_a_bundle_that_is_not_right_leaves_nothing(site: Site, options: dict[str, Any], step: str) -> None:
    before = site.stored()
    location = site.upload(Bundle("image", IMAGE, site.authority, **options))

    image = site.register(location)

    shown = site.shown(image)
    assert (shown["State"], step in shown["StateReason"]["Message"]) == ("failed", True), shown
    assert site.stored() == before
    site.client.deregister_image(ImageId=image)


@pytest.mark.parametrize(("change", "reason"), [("missing", "is missing"), ("damaged", "is damaged")])
def test_a_part_that_is_not_there_is_named(site: Site, change: str, reason: str) -> None:
    location = site.upload(Bundle("image", IMAGE, site.authority))
    part = {"Bucket": "bundles", "Key": "some/image.part.1"}
    if change == "missing":
        site.s3.delete_object(**part)
    else:
        site.s3.put_object(**part, Body=b"other")

    image = site.register(location)

    assert site.shown(image)["StateReason"]["Message"] == f"The part image.part.1 of the bundle {reason}."
    site.client.deregister_image(ImageId=image)


@pytest.mark.parametrize(
    "manifest",
    [b"", b"<manifest/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><manifest>&b;</manifest>", None],
)
def test_a_manifest_that_is_none_is_refused_at_once(site: Site, manifest: bytes | None) -> None:
    good = Bundle("image", IMAGE, site.authority).manifest
    escaping = good.replace(b"<filename>image.part.0", b"<filename>../../other/secret")
    site.s3.put_object(Bucket="bundles", Key="bad.xml", Body=escaping if manifest is None else manifest)

    with pytest.raises(ClientError, match="InvalidManifest"):
        site.client.register_image(Name="bad", ImageLocation="bundles/bad.xml")


def test_a_user_registers_only_what_it_may_read(site: Site) -> None:
    location = site.upload(Bundle("image", IMAGE, site.authority))

    with pytest.raises(ClientError, match="InvalidManifest"):
        Ec2(site.cloud, "other").client().register_image(Name="theirs", ImageLocation=location)


def test_an_import_whose_worker_died_is_begun_anew(site: Site) -> None:
    # given what a daemon leaves that is killed in the middle of an import
    location = site.upload(Bundle("image", IMAGE, site.authority))
    now = clock.now()
    with wiring.desk(site.cloud.conf) as (database, operations):
        keys = site.ec2.keys
        task = ImageTask(
            uuids.new_uuid(), uuids.new_uuid(), keys.project_id, keys.user_id, "req-1", TaskStatus.PROCESSING,
            now, now - datetime.timedelta(seconds=1), f"{BUNDLE}{location}",
        )  # fmt: skip
        context = operations.identity.signer(keys.access).info.context("req-1")
        first = site.register(location)
        known = operations.images.starting_with(context, [first.partition("-")[2][:8]])[0]
        copy = dataclasses.replace(known, id=task.image_id, name="left", status=ImageStatus.QUEUED, size=None)

        def leave(session: Any) -> None:
            images.insert(session, copy)
            images.begin_upload(session, copy.id, task.id, busy=ImageStatus.IMPORTING)
            image_tasks.insert(session, task)

        database.run("test.leave", leave)
        # when another looks for work
        operations.image_imports.work()

        # then the image is whole
        made = operations.images.get(context, copy.id)
        assert made.status is ImageStatus.ACTIVE
        assert b"".join(operations.images.download(context, copy.id)) == IMAGE
        operations.images.delete(context, copy.id)
    site.client.deregister_image(ImageId=first)


def test_only_what_its_user_signed_is_registered_where_that_is_wanted(site: Site) -> None:
    # given a user with a certificate, and another
    mine, theirs = (
        site.cloud.ask("POST", "/v2.1/os-certificates", {}, user=user).json()["certificate"]["private_key"]
        for user in ("demo", "other")
    )
    bundle = Bundle("image", IMAGE, site.authority)
    good = signed(bundle.manifest, mine)
    other = Bundle("other", IMAGE, site.authority).manifest
    hidden = b"<!--" + good[good.index(b"<version>") : -len("</manifest>")] + b"--><version>"
    beside = other.replace(b"<version>", hidden)
    location = site.upload(bundle)
    conf = load([*site.cloud.flags, "--require_signed_bundles"], prog="nova-all")
    with wiring.desk(conf) as (_, operations):
        context = operations.identity.signer(site.ec2.keys.access).info.context("req-1")

        def read(manifest: bytes) -> str:
            site.s3.put_object(Bucket="bundles", Key="some/image.manifest.xml", Body=manifest)
            try:
                return operations.image_bundles.manifest(context, location).parts[0].name
            except BadBundle as error:
                return str(error)

        # then what it signed is taken, and nothing that only lies beside that
        refused = "The manifest is not signed with the key of a certificate of who registers it."
        assert read(good) == "image.part.0"
        assert read(beside) == "image.part.0"
        assert read(bundle.manifest) == refused
        assert read(signed(bundle.manifest, theirs)) == refused
        assert read(good.replace(b"<user>42", b"<user>43")) == refused
        assert read(good.replace(b"<signature>", b"<signature>00")) == refused
        operations.certificates.revoke(context, user_id=context.user_id)
        assert read(good) == refused
