"""Files that a user wants in an instance ("personality"): they are offered to the guest, never put into its disk."""

import base64
import binascii
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.errors import InvalidInput, OverQuota
from nova_lite.core.metadata import InjectedFile
from nova_lite.core.quota import UNLIMITED, Limits
from nova_lite.db import quotas


def check(files: Sequence[InjectedFile]) -> None:
    """Raise InvalidInput unless each file has a place and Base64 text (RFC 4648, section 4)."""
    for file in files:
        if ".." in file.path.split("/") or not file.path.isprintable() or file.path.endswith("/"):
            raise InvalidInput(f"The path {file.path!r} is not that of a file.")
        try:
            base64.b64decode(file.contents, validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidInput(f"The contents of {file.path} need to be valid base 64.") from error


def check_limits(session: Session, project_id: str, defaults: Limits, files: Sequence[InjectedFile]) -> None:
    """Raise OverQuota for more, larger or longer named files than the project may put into an instance."""
    if not files:
        return
    limits = quotas.effective(session, project_id, defaults)
    sizes = {
        "injected_files": len(files),
        "injected_file_path_bytes": max(len(file.path.encode()) for file in files),
        "injected_file_content_bytes": max(len(base64.b64decode(file.contents)) for file in files),
    }
    for name, size in sizes.items():
        if limits[name] != UNLIMITED and size > limits[name]:
            raise OverQuota(f"Personality is over the limit: {name} is {limits[name]}.")
