"""Files in an ext file system that is not mounted: read and written by debugfs, in a process with limits.

The file system is a user's. The host's kernel never sees it, and whatever its directories and links say leads to
places within it only. Links are not followed even there: what is written is where its path says, or not at all.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Limits, Runner

_LIMITS = Limits(memory_bytes=1024**3, cpu_seconds=60)
_TYPE = re.compile(r"Type: ([\w ]+?)\s+Mode:\s+(\d+)")
_OWNER = re.compile(r"User:\s+(\d+)\s+Group:\s+(\d+)")
_SIZE = re.compile(r"\bSize:\s+(\d+)")
_MOST_READ = 1024**2
"""Bytes of the largest file that is read: it comes to the host's temporary folder, and may be all holes."""
_DIRECTORY, _FILE = "directory", "regular"
_FILE_MODE = 0o100000


class ExtFiles:
    """The files of the file system that is ``offset`` bytes in a disk."""

    def __init__(self, runner: Runner, disk: Path, offset: int) -> None:
        self._runner = runner
        self._device = f"{disk}?offset={offset}" if offset else str(disk)

    def is_ext(self) -> bool:
        """Tell whether there is such a file system."""
        return "Filesystem magic number:  0xEF53" in self._do(["show_super_stats -h"])

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None for one that is not there; raises DriverError for what is no plain file."""
        if self._checked(path) is None:
            return None
        size = self._size(path)
        if size is None or size > _MOST_READ:
            raise DriverError(f"cannot read {path} in the guest's disk: it is too large.")
        return self._content(path)

    def _content(self, path: str) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="nova-files-") as folder:
            target = Path(folder, "content")
            self._do([f'dump "{path}" {target}'])
            return target.read_bytes() if target.exists() else None

    def write(self, path: str, content: bytes, *, mode: int = 0o644, folder_mode: int = 0o755) -> None:
        """Write a file of root's, with the folders that it needs; one that is there keeps its owner and mode.

        Raises DriverError for a path that leads elsewhere, and when there is no room.
        """
        found = self._checked(path)
        words = [*self._missing_folders(PurePosixPath(path).parent, folder_mode)]
        pure = PurePosixPath(path)
        with tempfile.TemporaryDirectory(prefix="nova-files-") as folder:
            source = Path(folder, "content")
            source.write_bytes(content)
            owner = found or (mode, 0, 0)
            if found is not None:
                words.append(f'rm "{path}"')
            # "write" takes its second word for a name, whatever is in it: the folder is gone to first. The others
            # take a name like <2> for the number of an inode, so they are given the whole path.
            words += [f'cd "{pure.parent}"', f'write {source} "{pure.name}"']
            for field, value in zip(("mode", "uid", "gid"), (_FILE_MODE | owner[0], *owner[1:]), strict=True):
                words.append(f'set_inode_field "{path}" {field} 0{value:o}')
            self._do(words, writing=True)
        if self._size(path) != len(content) or self._content(path) != content:
            raise DriverError(f"cannot write {path} into the guest's disk: there is no room for it.")

    def _checked(self, path: str) -> tuple[int, int, int] | None:
        """Return mode, owner and group of a plain file, None where none is; raises DriverError for a bad path."""
        check_path(path)
        pure = PurePosixPath(path)
        for folder in [*reversed(pure.parents)][1:]:
            found = self._stat(str(folder))
            if found is not None and found[0] != _DIRECTORY:
                raise DriverError(f"cannot write {path} into the guest's disk: {folder} is no folder.")
        found = self._stat(path)
        if found is None:
            return None
        if found[0] != _FILE:
            raise DriverError(f"cannot write {path} into the guest's disk: it is no plain file.")
        return found[1:]

    def _missing_folders(self, folder: PurePosixPath, mode: int) -> Sequence[str]:
        words: list[str] = []
        for one in [*reversed([folder, *folder.parents])][1:]:
            if self._stat(str(one)) is None:
                words += [f'mkdir "{one}"', f'set_inode_field "{one}" mode 0{0o40000 | mode:o}']
        return words

    def _stat(self, path: str) -> tuple[str, int, int, int] | None:
        """Return kind, mode, owner and group of what is at a path, itself and not what it points to."""
        told = self._do([f'stat "{path}"'])
        kind, owner = _TYPE.search(told), _OWNER.search(told)
        if kind is None or owner is None:
            return None
        return kind.group(1), int(kind.group(2), 8) & 0o7777, int(owner.group(1)), int(owner.group(2))

    def _size(self, path: str) -> int | None:
        """Return how many bytes what is at a path says that it has."""
        found = _SIZE.search(self._do([f'stat "{path}"']))
        return None if found is None else int(found.group(1))

    def _do(self, words: Sequence[str], *, writing: bool = False) -> str:
        """Have debugfs do what the lines say; it goes on after a line that fails, and says so in its output."""
        with tempfile.NamedTemporaryFile("w", prefix="nova-debugfs-") as script:
            script.write("".join(f"{line}\n" for line in words))
            script.flush()
            argv = ["debugfs", *(["-w"] if writing else []), "-f", script.name, self._device]
            return self._runner.run(argv, limits=_LIMITS, allowed=(0, 1))


def check_path(path: str) -> None:
    """Raise DriverError for a path that names no place in a guest: relative, upwards, or not to be written down."""
    parts = path.split("/")
    if not path.startswith("/") or ".." in parts or not parts[-1] or '"' in path or not path.isprintable():
        raise DriverError("cannot write a file into the guest's disk: its path is not that of a file.")
