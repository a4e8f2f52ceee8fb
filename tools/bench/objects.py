"""``python -m tools.bench objects``: the object store beside rclone's S3 server, on one disk in one run."""

import contextlib
import hashlib
import http.client
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import prettytable
import psutil
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from tools.deployment import Deployment, flags_for
from tools.services import free_port
from tools.services.process import Service, listens

_SMALL, _MIDDLE, _LARGE = 4096, 1024**2, 1024**3
_MANY = 10_000
_PIECE = 1024**2
_UNSIGNED = "UNSIGNED-PAYLOAD"

AIMS = {
    "PUT 1 GB, of copy and MD5": "70 %",
    "GET 1 GB, of copy and MD5": "70 %",
    "memory grown by 1 GB": "constant",
}


class Rclone(Service):
    """rclone's server of S3 over a folder."""

    name = "rclone"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (folder / "files").mkdir(parents=True)
        self.port = free_port()

    def start(self) -> None:
        """Start it and wait until it listens."""
        program = str(Path(sys.executable).parent / "rclone")
        argv = [program, "serve", "s3", "--addr", f"127.0.0.1:{self.port}", "--auth-key", "key,secret"]
        self._launch(
            [*argv, "--vfs-cache-mode", "off", str(self.folder / "files")], lambda: listens(self.port)
        )


class Target:
    """A server of S3 that is measured."""

    def __init__(self, port: int, access: str, secret: str, pid: int | None) -> None:
        self.port = port
        self._credentials = Credentials(access, secret)
        self._process = psutil.Process(pid)
        self.client: Any = boto3.client(
            "s3", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=access,
            aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip

    def memory_mb(self) -> float:
        """Return the resident memory in MiB."""
        return float(self._process.memory_info().rss) / 1024**2

    def put_file(self, key: str, file: Path) -> None:
        """Put a file with as little work on the client's side as there can be: no checksum of its own."""
        with file.open("rb") as body:
            self._send("PUT", key, body, str(file.stat().st_size)).read()

    def get_file(self, key: str) -> int:
        """Read an object to its end; returns how many bytes there were."""
        answer, size, buffer = self._send("GET", key, None, ""), 0, bytearray(_PIECE)
        while read := answer.readinto(buffer):
            size += read
        return size

    def list_all(self) -> None:
        """Read the list of all keys, page by page, with nothing made of it on the client's side."""
        found, query = 0, ""
        while True:
            page = self._send("GET", f"?list-type=2&prefix=list%2F{query}", None, "").read().decode()
            found += page.count("<Key>")
            token = page.partition("<NextContinuationToken>")[2].partition("<")[0]
            if not token:
                break
            query = f"&continuation-token={quote(token, safe='')}"
        if found != _MANY:
            raise SystemExit(f"only {found} keys are listed")

    def _send(self, method: str, key: str, body: Any, length: str) -> http.client.HTTPResponse:
        url = f"http://127.0.0.1:{self.port}/bench/{key}"
        request = AWSRequest(method, url, headers={"x-amz-content-sha256": _UNSIGNED})
        request.context["payload_signing_enabled"] = False
        _Unsigned(self._credentials, "s3", "us-east-1").add_auth(request)
        headers = dict(request.headers.items()) | ({"Content-Length": length} if length else {})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300, blocksize=_PIECE)
        connection.request(method, f"/bench/{key}", body, headers)
        answer = connection.getresponse()
        if answer.status >= 300:
            raise SystemExit(f"{method} {key}: {answer.status} {answer.read()[:300]!r}")
        return answer


class _Unsigned(SigV4Auth):  # type: ignore[misc]
    """Signs all but the body."""

    def payload(self, request: AWSRequest) -> str:
        return _UNSIGNED


def _measure(target: Target, file: Path, copy_seconds: float) -> dict[str, str]:
    """Return every figure as text."""
    client = target.client
    client.create_bucket(Bucket="bench")
    figures: dict[str, str] = {}
    for name, size, count in (("4 KB", _SMALL, 200), ("1 MB", _MIDDLE, 50)):
        content = os.urandom(size)
        put = _median(
            count, lambda n, body=content: client.put_object(Bucket="bench", Key=f"small/{n}", Body=body)
        )
        get = _median(count, lambda n: client.get_object(Bucket="bench", Key=f"small/{n}")["Body"].read())
        figures[f"PUT {name}, p50"] = f"{put * 1000:.1f} ms"
        figures[f"GET {name}, p50"] = f"{get * 1000:.1f} ms"
    before = target.memory_mb()
    for verb, work in (
        ("PUT", lambda: target.put_file("large", file)),
        ("GET", lambda: target.get_file("large")),
    ):
        seconds = min(_timed(work) for _ in range(2))
        figures[f"{verb} 1 GB"] = f"{_LARGE / seconds / 1e6:.0f} MB/s"
        figures[f"{verb} 1 GB, of copy and MD5"] = f"{100 * copy_seconds / seconds:.0f} %"
    figures["memory grown by 1 GB"] = f"{target.memory_mb() - before:.0f} MB"
    client.delete_object(Bucket="bench", Key="large")
    for number in range(_MANY):
        client.put_object(Bucket="bench", Key=f"list/{number:05}", Body=b"")
    listed = min(_timed(target.list_all) for _ in range(3))
    figures["list of 10,000 keys"] = f"{listed * 1000:.0f} ms"
    figures["memory"] = f"{target.memory_mb():.0f} MB"
    return figures


def copy_and_md5(file: Path) -> float:
    """Return how long it takes to copy a file durably and to take its MD5, the one after the other."""
    target = file.with_name("copy")

    def work() -> None:
        with file.open("rb") as source, target.open("wb") as copy:
            while chunk := source.read(_PIECE):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        with target.open("rb") as copy:
            hashlib.file_digest(copy, "md5")

    seconds = min(_timed(work) for _ in range(2))
    target.unlink()
    return seconds


def measure(folder: Path) -> dict[str, dict[str, str]]:
    """Measure both servers."""
    file = folder / "large"
    with file.open("wb") as target:
        for _ in range(_LARGE // _PIECE):
            target.write(os.urandom(_PIECE))
    copying = copy_and_md5(file)
    found: dict[str, dict[str, str]] = {}
    with object_store(folder / "nova") as target:
        found["nova-objectstore"] = _measure(target, file, copying)
    with Rclone(folder / "rclone") as rclone:
        found["rclone serve s3"] = _measure(Target(rclone.port, "key", "secret", rclone.pid), file, copying)
    for figures in found.values():
        figures["copy and MD5 of 1 GB"] = f"{_LARGE / copying / 1e6:.0f} MB/s"
    return found


@contextlib.contextmanager
def object_store(folder: Path) -> Iterator[Target]:
    """Run nova-objectstore alone."""
    folder.mkdir()
    flags = flags_for(folder, f"sqlite:///{folder}/nova.sqlite", "local://") | {"quota_buckets": -1}
    deployment = Deployment(folder, flags, ("nova-objectstore",))
    conf = load([f"--flagfile={deployment.flag_file}"], prog="nova-manage")
    with wiring.desk(conf) as (_, cloud):
        context = system_context()
        user = next(one for one in cloud.identity.list_users(context) if one.name == "bench")
        keys = cloud.identity.create_ec2_credential(context, user.id, cloud.identity.find_project("bench").id)
    deployment.start()
    try:
        yield Target(int(flags["s3_listen_port"]), keys.access, keys.secret, deployment.daemons[0].pid)
    finally:
        deployment.stop()


def table(columns: dict[str, dict[str, str]]) -> prettytable.PrettyTable:
    """Return the table of all figures."""
    made = prettytable.PrettyTable(["figure", *columns, "aim"])
    made.align = "l"
    for figure in next(iter(columns.values())):
        made.add_row([figure, *(found[figure] for found in columns.values()), AIMS.get(figure, "")])
    return made


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(count: int, work: Callable[[int], object]) -> float:
    return statistics.median(_timed(lambda number=number: work(number)) for number in range(count))
