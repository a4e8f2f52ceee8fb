"""nova-objectstore as a process that is killed: nothing is torn, nothing lost, nothing left over."""

import contextlib
import hashlib
import itertools
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.credentials import Ec2Credential
from nova_lite.objectstore.multipart import LEAST_PART
from tests.cloud import wait_for
from tools.deployment import Deployment, flags_for

OLD, NEW = b"old" * 100_000, b"new" * 1_000_000


class Mortal:
    """The daemon, a client of it, and its files."""

    def __init__(self, folder: Path) -> None:
        self._flags = flags_for(folder, f"sqlite:///{folder}/nova.sqlite", "local://")
        self._deployment = Deployment(folder, self._flags, ("nova-objectstore",))
        self.blobs = folder / "buckets" / "blobs"
        self.port = int(self._flags["s3_listen_port"])
        self.keys = self._make_keys()
        self.client: Any = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{self.port}", region_name="us-east-1",
            aws_access_key_id=self.keys.access, aws_secret_access_key=self.keys.secret,
            config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip
        self._deployment.start()

    def _make_keys(self) -> Ec2Credential:
        conf = load([f"--flagfile={self._deployment.flag_file}"], prog="nova-manage")
        with wiring.desk(conf) as (_, cloud):
            context = system_context()
            user = next(one for one in cloud.identity.list_users(context) if one.name == "bench")
            project = cloud.identity.find_project("bench")
            return cloud.identity.create_ec2_credential(context, user.id, project.id)

    def kill(self) -> None:
        self._deployment.daemons[0].kill()

    def revive(self) -> None:
        self._deployment.daemons[0].start()

    def stop(self) -> None:
        self._deployment.stop()

    def files(self) -> int:
        return sum(1 for file in self.blobs.rglob("*") if file.is_file())

    def begin_put(self, path: str, size: int) -> socket.socket:
        """Begin to put an object on a connection of its own."""
        url = f"http://127.0.0.1:{self.port}{path}"
        request = AWSRequest("PUT", url, headers={"x-amz-content-sha256": hashlib.sha256(NEW).hexdigest()})
        _Signing(Credentials(self.keys.access, self.keys.secret), "s3", "us-east-1").add_auth(request)
        lines = [f"PUT {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", f"Content-Length: {size}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        connection = socket.create_connection(("127.0.0.1", self.port))
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection


class _Signing(SigV4Auth):  # type: ignore[misc]
    def payload(self, request: AWSRequest) -> str:
        return hashlib.sha256(NEW).hexdigest()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    mortal = Mortal(tmp_path)
    mortal.client.create_bucket(Bucket="bucket")
    mortal.client.put_object(Bucket="bucket", Key="k", Body=OLD)
    yield mortal
    mortal.stop()


def test_a_daemon_killed_in_the_middle_of_puts_loses_and_leaves_nothing(mortal: Mortal) -> None:
    # given an object that is replaced, one that is new, and a part, each half sent
    upload = mortal.client.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
    mortal.client.upload_part(Bucket="bucket", Key="parts", UploadId=upload, PartNumber=1, Body=OLD)
    paths = ("/bucket/k", "/bucket/new", f"/bucket/parts?partNumber=2&uploadId={upload}")
    connections = [mortal.begin_put(path, len(NEW)) for path in paths]
    for connection in connections:
        connection.sendall(NEW[: len(NEW) // 2])
    assert wait_for(lambda: mortal.files() == 5)

    # when the daemon is killed and comes back
    mortal.kill()
    mortal.revive()

    # then what was there is whole, what was not is not, and no file is left over
    assert mortal.client.get_object(Bucket="bucket", Key="k")["Body"].read() == OLD
    listed = mortal.client.list_objects_v2(Bucket="bucket")["Contents"]
    assert [one["Key"] for one in listed] == ["k"]
    parts = mortal.client.list_parts(Bucket="bucket", Key="parts", UploadId=upload)["Parts"]
    assert [one["PartNumber"] for one in parts] == [1]
    assert mortal.files() == 2
    done = mortal.client.complete_multipart_upload(
        Bucket="bucket", Key="parts", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": parts[0]["ETag"]}]},
    )  # fmt: skip
    assert done["ETag"]
    for connection in connections:
        connection.close()


def test_what_was_answered_is_there_after_a_kill_in_the_middle_of_completions(mortal: Mortal) -> None:
    # given objects that were put and deleted, and others of two parts that are completed one after the other
    for number in range(20):
        mortal.client.put_object(Bucket="bucket", Key=f"many/{number}", Body=str(number).encode())
    mortal.client.delete_object(Bucket="bucket", Key="k")
    first, answered = bytes(LEAST_PART), []
    named = {"Bucket": "bucket"}

    def send(sender: int) -> None:
        with contextlib.suppress(BotoCoreError):
            for number in itertools.count():
                where = named | {"Key": f"{sender}-{number}"}
                upload = where | {"UploadId": mortal.client.create_multipart_upload(**where)["UploadId"]}
                parts = []
                for part, body in enumerate((first, OLD), 1):
                    sent = mortal.client.upload_part(**upload, PartNumber=part, Body=body)
                    parts.append({"PartNumber": part, "ETag": sent["ETag"]})
                mortal.client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
                answered.append(where["Key"])

    senders = [threading.Thread(target=send, args=(sender,)) for sender in range(3)]
    for sender in senders:
        sender.start()
    assert wait_for(lambda: len(answered) >= 5)

    # when the daemon is killed and comes back
    mortal.kill()
    for sender in senders:
        sender.join()
    mortal.revive()

    # then what was answered is there and whole, and every file is of an object or of an upload that can be aborted
    for number in range(20):
        got = mortal.client.get_object(Bucket="bucket", Key=f"many/{number}")
        assert got["Body"].read() == str(number).encode()
    listed = {one["Key"] for one in mortal.client.list_objects_v2(**named)["Contents"]}
    assert set(answered) <= listed and "k" not in listed
    listed -= {f"many/{number}" for number in range(20)}
    for key in listed:
        assert mortal.client.get_object(**named, Key=key)["Body"].read() == first + OLD
    for one in mortal.client.list_multipart_uploads(**named).get("Uploads", []):
        mortal.client.abort_multipart_upload(**named, Key=one["Key"], UploadId=one["UploadId"])
    assert mortal.files() == 2 * len(listed) + 20
