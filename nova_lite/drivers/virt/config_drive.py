"""Config drives as files: ISO 9660 with Rock Ridge and Joliet names, or FAT; labelled ``config-2`` for guests."""

import dataclasses
import tempfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

import pycdlib

from nova_lite.drivers.runner import Runner, require_programs

NAME = "disk.config"
"""The name of a config drive's file in the folder of its guest."""

LABEL = "config-2"


VFAT = "vfat"

_VFAT_KIB = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class ConfigDrives:
    """Makes config drives of the kind that the operator wants."""

    kind: str = "iso9660"
    runner: Runner = dataclasses.field(default_factory=Runner)

    def start(self) -> None:
        """Check the programs that are needed; raises ConfigurationError."""
        if self.kind == VFAT:
            require_programs("mkfs.vfat", "mcopy")

    def make(self, files: Mapping[str, bytes], folder: Path) -> None:
        """Write a drive into a guest's folder; one that is there is kept, and none is made of nothing."""
        if files and not (folder / NAME).exists():
            self.renew(files, folder)

    def renew(self, files: Mapping[str, bytes], folder: Path) -> None:
        """Write a drive into a guest's folder, in the place of one that is there; it holds passwords."""
        target = folder / NAME
        new = target.with_name(f"{NAME}.new")
        new.unlink(missing_ok=True)
        if self.kind == VFAT:
            self._write_vfat(files, new)
        else:
            new.touch(0o600)
            _write_iso(files, new)
        new.rename(target)

    def _write_vfat(self, files: Mapping[str, bytes], new: Path) -> None:
        """Write a FAT file system with mtools, which need not mount it."""
        self.runner.run(["mkfs.vfat", "-n", LABEL, "-C", str(new), str(_VFAT_KIB)])
        new.chmod(0o600)
        with tempfile.TemporaryDirectory(prefix="nova-drive-") as folder:
            for name, content in files.items():
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            tops = [str(path) for path in sorted(Path(folder).iterdir())]
            self.runner.run(["mcopy", "-s", "-Q", "-i", str(new), *tops, "::"])


def _write_iso(files: Mapping[str, bytes], new: Path) -> None:
    with new.open("wb") as stream:
        image = pycdlib.PyCdlib()
        image.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
        _fill(image, files)
        image.write_fp(stream)
        image.close()


def _fill(image: pycdlib.PyCdlib, files: Mapping[str, bytes]) -> None:
    """Add the files and their folders; their ISO 9660 names are numbers, for guests read the others."""
    numbers = {PurePosixPath("/"): ""}
    for path in sorted(PurePosixPath("/", name) for name in files):
        for folder in [*reversed(path.parents)][1:]:
            if folder not in numbers:
                numbers[folder] = f"{numbers[folder.parent]}/D{len(numbers)}"
                image.add_directory(numbers[folder], rr_name=folder.name, joliet_path=str(folder))
        content = files[str(path).lstrip("/")]
        name = f"{numbers[path.parent]}/F{len(numbers)}.;1"
        numbers[path] = name
        image.add_fp(BytesIO(content), len(content), name, rr_name=path.name, joliet_path=str(path))
