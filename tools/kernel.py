"""Debian's kernel for machines in a cloud, unpacked and kept, and initial ramdisks for it."""

import gzip
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

PACKAGE = "linux-image-cloud-amd64"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class BuildError(Exception):
    """Something cannot be built; the text says what to do about it."""


def unpacked(folder: Path) -> Path:
    """Return the tree of the kernel's package, unpacked below ``folder`` and kept; raises BuildError."""
    tree = folder / "kernel"
    if (tree / "boot").is_dir():
        return tree
    listed = run("apt-cache", "depends", PACKAGE).splitlines()
    package = next((line.split()[-1] for line in listed if "Depends:" in line), "")
    if not package:
        raise BuildError(f"the kernel's package is not known: run apt-get update, {PACKAGE} is needed")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".kernel-") as temporary:
        work = Path(temporary)
        fetch_package(package, work)
        run("depmod", "-b", work / "tree", version(work / "tree"))
        (work / "tree").rename(tree)
    return tree


def fetch_package(package: str, work: Path) -> Path:
    """Download a package and return its tree, unpacked below the empty folder ``work``; raises BuildError."""
    run("apt-get", "-o", "APT::Sandbox::User=root", "download", package, cwd=work)
    archive = next(work.glob("*.deb"), None)
    if archive is None:
        raise BuildError(f"the package {package} could not be downloaded")
    run("dpkg", "-x", archive, work / "tree")
    return work / "tree"


def version(tree: Path) -> str:
    """Return the version of the kernel, as its modules' folder is called."""
    return next((tree / "lib/modules").iterdir()).name


def image(tree: Path) -> Path:
    """Return the kernel itself."""
    return next((tree / "boot").glob("vmlinuz-*"))


def needed(tree: Path, of_version: str, module: str) -> Iterable[Path]:
    """Return the files of a module and of those that it needs; a module that is built in needs none."""
    listed = subprocess.run(
        ["modprobe", "-d", tree, "-S", of_version, "--show-depends", module],
        capture_output=True,
        text=True,
        env={"PATH": SEARCH_PATH},
        check=False,
    ).stdout
    return [Path(line.split()[1]) for line in listed.splitlines() if line.startswith("insmod")]


def ramdisk(top: Path) -> bytes:
    """Return the folder ``top`` as an initial ramdisk."""
    names = "".join(f"{path.relative_to(top)}\n" for path in sorted(top.rglob("*")))
    archive = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"],
        cwd=top,
        input=names.encode(),
        capture_output=True,
        check=True,
    ).stdout
    return gzip.compress(archive, 6, mtime=0)


def run(*argv: str | Path, cwd: Path | None = None) -> str:
    """Run a program and return what it printed; raises BuildError."""
    done = subprocess.run(
        [str(word) for word in argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={"PATH": SEARCH_PATH, "LC_ALL": "C"},
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise BuildError(f"{argv[0]} failed: {reason}")
    return done.stdout
