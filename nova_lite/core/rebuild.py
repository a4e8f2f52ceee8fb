"""What a user asks for when rebuilding a server: its guest made anew from an image."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nova_lite.core.metadata import InjectedFile


@dataclasses.dataclass(frozen=True, slots=True)
class RebuildRequest:
    """A request to make a server anew.

    ``changes`` are fields of the instance by name that change with it; ``metadata`` replaces the server's
    unless it is None, as ``files`` does its files. ``key_name`` is "" to keep the key pair and None to have none.
    ``options`` are those of its options by name that change.
    """

    image_id: str
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    metadata: Mapping[str, str] | None = None
    key_name: str | None = ""
    admin_password: str = ""
    files: tuple[InjectedFile, ...] | None = None
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
