"""The object store that its tests share."""

from collections.abc import Iterator

import pytest

from tests.s3_site import S3Site, running


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Site]:
    """A running object store; each test makes buckets of its own."""
    with running(tmp_path_factory.mktemp("objectstore")) as site:
        yield site


@pytest.fixture
def bucket(site: S3Site) -> str:
    """A bucket of demo with nothing in it."""
    return site.bucket()
