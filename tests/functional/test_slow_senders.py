"""Clients that begin a request and do not go on hold no worker: each front door says so in its own words."""

import contextlib
import socket
from pathlib import Path

from tests.cloud import Cloud, running
from tests.ec2 import SESSION, Ec2

JSON = "Content-Type: application/json"


def begin(cloud: Cloud, api: str, request: str, *headers: str) -> socket.socket:
    """Send the head of a request of 100 bytes, and the first few of them."""
    lines = [f"{request} HTTP/1.1", f"Host: {cloud.url(api).removeprefix('http://')}", "Content-Length: 100", *headers]
    connection = socket.create_connection(("127.0.0.1", cloud.conf[f"{api}_listen_port"]), timeout=20)
    connection.sendall("\r\n".join([*lines, "", "few"]).encode())
    return connection


def end(connection: socket.socket) -> str:
    """Return what is answered until the server ends the connection."""
    answer = b""
    with connection, contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            answer += piece
    return answer.decode()


def test_a_request_that_stops_is_ended_and_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", "--api_least_rate_window=2") as cloud:
        keys = Ec2(cloud).keys
        s3 = SESSION.client(
            "s3", endpoint_url=cloud.url("s3"), aws_access_key_id=keys.access,
            aws_secret_access_key=keys.secret, region_name="us-east-1",
        )  # fmt: skip
        s3.create_bucket(Bucket="slow")
        link = s3.generate_presigned_url("put_object", {"Bucket": "slow", "Key": "k"})
        image = {"name": "slow", "disk_format": "raw", "container_format": "bare"}
        image_id = cloud.ask("POST", "/v2/images", image, api="image").json()["id"]
        token, octets = f"X-Auth-Token: {cloud.token()}", "Content-Type: application/octet-stream"

        begun = {
            "s3": begin(cloud, "s3", f"PUT {link.removeprefix(cloud.url('s3'))}"),
            "image": begin(cloud, "image", f"PUT /v2/images/{image_id}/file", token, octets),
            "compute": begin(cloud, "osapi_compute", "POST /v2.1/servers", token, JSON),
            "ec2": begin(cloud, "ec2", "POST /", "Content-Type: application/x-www-form-urlencoded"),
        }
        told = {name: end(connection) for name, connection in begun.items()}

        assert told["s3"].startswith("HTTP/1.1 400 ") and "<Code>RequestTimeout</Code>" in told["s3"], told
        for name in ("image", "compute", "ec2"):
            assert told[name].startswith("HTTP/1.1 408 "), told
        assert "<Code>RequestTimeout</Code>" in told["ec2"]
        assert "Contents" not in s3.list_objects_v2(Bucket="slow")
        assert not [file for file in (tmp_path / "buckets" / "blobs").rglob("*") if file.is_file()]
        assert cloud.ask("GET", f"/v2/images/{image_id}", api="image").json()["status"] == "queued"
        assert not [file for file in (tmp_path / "images").iterdir()]
