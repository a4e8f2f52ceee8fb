"""The cloud in which flows go wrong."""

from collections.abc import Iterator

import pytest

from tests.faults.stage import STAGE
from tests.faults.staged_cloud import StagedCloud


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedCloud]:
    cloud = StagedCloud(tmp_path_factory.mktemp("flows"))
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture
def cloud(shared_cloud: StagedCloud) -> Iterator[StagedCloud]:
    """The cloud, with nothing in it before; whatever went wrong, nothing is left when all is deleted."""
    STAGE.clear()
    yield shared_cloud
    unplayed = STAGE.unplayed()
    STAGE.clear()
    shared_cloud.delete_all()
    assert shared_cloud.leaks() == []
    assert not unplayed
