"""A tree of ten thousand files there and back, by s3cmd and by rclone at once."""

import concurrent.futures
import filecmp
from pathlib import Path

from tests.s3_site import S3Site, program

_FILES = 10_000
_FOLDERS = 100
_PATIENCE = 600


def make_tree(top: Path) -> None:
    """Write files of all small sizes, some of names that need care."""
    for number in range(_FILES):
        folder = top / f"{number % _FOLDERS:02}" / ("ünï + %" if number % 7 == 0 else "plain")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.bin").write_bytes(number.to_bytes(4, "big") * (number % 50))


def differences(one: Path, other: Path) -> list[str]:
    """Return what is in one of two trees only, or is not the same in both."""
    names = [{file.relative_to(top) for file in top.rglob("*") if file.is_file()} for top in (one, other)]
    assert len(names[0]) == _FILES
    _, wrong, unread = filecmp.cmpfiles(one, other, map(str, names[0] & names[1]), shallow=False)
    return [*map(str, names[0] ^ names[1]), *wrong, *unread]


def test_a_tree_of_ten_thousand_files_comes_back_as_it_went(site: S3Site, tmp_path: Path) -> None:
    tree, rclone = tmp_path / "tree", [program("rclone"), "--transfers=8", "--checkers=8", "--s3-no-head"]
    make_tree(tree)
    buckets = {name: site.bucket() for name in ("s3cmd", "rclone")}

    def by_s3cmd() -> None:
        site.s3cmd("-q", "sync", f"{tree}/", f"s3://{buckets['s3cmd']}/some/", seconds=_PATIENCE)
        site.s3cmd("-q", "sync", f"s3://{buckets['s3cmd']}/some/", f"{tmp_path}/s3cmd/", seconds=_PATIENCE)

    def by_rclone() -> None:
        place = f"cloud:{buckets['rclone']}/some"
        site.run(*rclone, "sync", str(tree), place, seconds=_PATIENCE)
        site.run(*rclone, "sync", place, str(tmp_path / "rclone"), seconds=_PATIENCE)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for each in [pool.submit(by_s3cmd), pool.submit(by_rclone)]:
            each.result()

    assert {name: differences(tree, tmp_path / name) for name in buckets} == {"s3cmd": [], "rclone": []}
    for name, bucket in buckets.items():
        # What was put by one is there for the other, to the last key.
        assert "0 differences found" in site.run(*rclone, "check", str(tree), f"cloud:{bucket}/some"), name
