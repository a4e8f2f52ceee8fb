"""Reading config drives, whose file system this machine's kernel need not know."""

from io import BytesIO
from pathlib import Path

import pycdlib


def files_of(drive: Path) -> dict[str, bytes]:
    """Return the content of each file of a config drive by its path."""
    image = pycdlib.PyCdlib()
    image.open(str(drive))
    found = {}
    for folder, _, names in image.walk(rr_path="/"):
        for name in names:
            content = BytesIO()
            image.get_file_from_iso_fp(content, rr_path=f"{folder.rstrip('/')}/{name}")
            found[f"{folder.strip('/')}/{name}".lstrip("/")] = content.getvalue()
    image.close()
    return found
