"""Config drives as files: ISO 9660 with Rock Ridge and Joliet names, labelled ``config-2`` as guests look for it."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path, PurePosixPath

import pycdlib

NAME = "disk.config"
"""The name of a config drive's file in the folder of its guest."""

LABEL = "config-2"


def make(files: Mapping[str, bytes], folder: Path) -> None:
    """Write a drive with these files into a guest's folder; one that is there is kept, and none is made of nothing."""
    target = folder / NAME
    if not files or target.exists():
        return
    new = target.with_name(f"{NAME}.new")
    with new.open("wb") as stream:
        image = pycdlib.PyCdlib()
        image.new(interchange_level=3, joliet=3, rock_ridge="1.09", vol_ident=LABEL)
        _fill(image, files)
        image.write_fp(stream)
        image.close()
    new.rename(target)


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
