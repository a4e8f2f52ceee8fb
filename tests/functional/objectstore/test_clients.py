"""The unmodified clients: aws, s3cmd and rclone."""

import os
from pathlib import Path

import pytest

from tests.s3_site import S3Site, program

FILES = {
    "plain.txt": b"hello",
    "sub dir/ünï+%.bin": bytes(range(256)) * 99,
    "sub dir/deep/empty": b"",
    "a=b&c": b"&",
}
AWS = program("aws")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with files in it."""
    for name, content in FILES.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return tmp_path / "tree"


def content_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder with what is in them."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_aws_syncs_a_tree_there_and_back(site: S3Site, tree: Path, tmp_path: Path) -> None:
    bucket = f"aws-{os.getpid()}"
    site.run(AWS, "s3", "mb", f"s3://{bucket}")
    site.run(AWS, "s3", "sync", "--no-progress", str(tree), f"s3://{bucket}/some/")
    site.run(AWS, "s3", "sync", "--no-progress", f"s3://{bucket}/some/", str(tmp_path / "back"))

    assert content_of(tmp_path / "back") == FILES
    assert site.run(AWS, "s3", "sync", str(tree), f"s3://{bucket}/some/") == ""
    assert "plain.txt" in site.run(AWS, "s3", "ls", "--recursive", f"s3://{bucket}")
    assert bucket in site.run(AWS, "s3api", "list-buckets")
    site.run(AWS, "s3", "cp", f"s3://{bucket}/some/plain.txt", f"s3://{bucket}/copy.txt")
    assert site.run(AWS, "s3", "cp", f"s3://{bucket}/copy.txt", "-") == "hello"
    site.run(AWS, "s3", "rb", "--force", f"s3://{bucket}")


def test_aws_sends_a_large_file_in_parts(site: S3Site, bucket: str, tmp_path: Path) -> None:
    file, back = tmp_path / "large", tmp_path / "back"
    file.write_bytes(os.urandom(20 * 2**20))
    site.run(AWS, "s3", "cp", "--no-progress", str(file), f"s3://{bucket}/large")
    site.run(AWS, "s3", "cp", "--no-progress", f"s3://{bucket}/large", str(back))

    assert back.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("signature", [[], ["--signature-v2"]], ids=["v4", "v2"])
def test_s3cmd_syncs_a_tree_there_and_back(
    site: S3Site, tree: Path, tmp_path: Path, signature: list[str]
) -> None:
    bucket = f"s3cmd-{os.getpid()}-{len(signature)}"
    site.s3cmd(*signature, "mb", f"s3://{bucket}")
    site.s3cmd(*signature, "sync", f"{tree}/", f"s3://{bucket}/some/")
    site.s3cmd(*signature, "sync", f"s3://{bucket}/some/", f"{tmp_path}/back/")

    assert content_of(tmp_path / "back") == FILES
    assert "upload:" not in site.s3cmd(*signature, "sync", f"{tree}/", f"s3://{bucket}/some/")
    shown = site.s3cmd(*signature, "info", f"s3://{bucket}/some/plain.txt")
    assert "5d41402abc4b2a76b9719d911017c592" in shown
    site.s3cmd(*signature, "setacl", "--acl-public", f"s3://{bucket}/some/plain.txt")
    assert "*anon*: READ" in site.s3cmd(*signature, "info", f"s3://{bucket}/some/plain.txt")
    assert site.ask("GET", f"/{bucket}/some/plain.txt", user="").content == b"hello"
    site.s3cmd(*signature, "cp", f"s3://{bucket}/some/plain.txt", f"s3://{bucket}/copy")
    site.s3cmd(*signature, "mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    assert "moved" in site.s3cmd(*signature, "la")
    site.s3cmd(*signature, "rb", "--recursive", "--force", f"s3://{bucket}")


def test_s3cmd_sends_a_large_file_in_parts(site: S3Site, bucket: str, tmp_path: Path) -> None:
    file, back = tmp_path / "large", tmp_path / "back"
    file.write_bytes(os.urandom(11 * 2**20))
    site.s3cmd("put", "--multipart-chunk-size-mb=5", str(file), f"s3://{bucket}/large")
    site.s3cmd("get", f"s3://{bucket}/large", str(back))

    assert back.read_bytes() == file.read_bytes()
    assert site.client().head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')


@pytest.mark.parametrize("rclone", ["/usr/bin/rclone", program("rclone")], ids=["debian", "pypi"])
def test_rclone_syncs_a_tree_there_and_back(site: S3Site, tree: Path, tmp_path: Path, rclone: str) -> None:
    bucket = site.bucket()
    (tree / "large").write_bytes(os.urandom(11 * 2**20))
    parts = ["--s3-upload-cutoff=6M", "--s3-chunk-size=5M"]
    site.run(rclone, "sync", *parts, str(tree), f"cloud:{bucket}/some")
    site.run(rclone, "sync", f"cloud:{bucket}/some", str(tmp_path / "back"))

    assert content_of(tmp_path / "back") == content_of(tree)
    assert "0 differences found" in site.run(rclone, "check", str(tree), f"cloud:{bucket}/some")
    site.run(rclone, "moveto", f"cloud:{bucket}/some/plain.txt", f"cloud:{bucket}/moved")
    assert site.run(rclone, "cat", f"cloud:{bucket}/moved") == "hello"
    assert site.run(rclone, "lsf", f"cloud:{bucket}") == "moved\nsome/\n"
    site.run(rclone, "purge", f"cloud:{bucket}")
