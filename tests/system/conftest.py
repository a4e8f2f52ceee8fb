"""What system tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.one_host import Site, built


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A host with two guests."""
    with built(tmp_path) as site:
        yield site
