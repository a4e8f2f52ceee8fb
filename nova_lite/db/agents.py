"""Builds of guest agents."""

import dataclasses
from typing import cast

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.agent import AgentBuild
from nova_lite.core.errors import Conflict
from nova_lite.db.base import MYSQL, Base


class AgentBuildRow(Base):
    """One build: the newest for its kind of guests."""

    __tablename__ = "agent_builds"
    __table_args__ = (sa.UniqueConstraint("hypervisor", "os", "architecture"), MYSQL)

    id: Mapped[int] = mapped_column(primary_key=True)
    hypervisor: Mapped[str]
    os: Mapped[str]
    architecture: Mapped[str]
    version: Mapped[str]
    url: Mapped[str]
    md5hash: Mapped[str]


_TABLE = cast(sa.Table, AgentBuildRow.__table__)


def insert(session: Session, build: AgentBuild) -> AgentBuild:
    """Add a build; raises Conflict when there is one for the same guests."""
    values = {name: value for name, value in dataclasses.asdict(build).items() if name != "id"}
    try:
        with session.begin_nested():
            made = session.execute(sa.insert(_TABLE).values(**values))
    except IntegrityError as error:
        raise Conflict(
            f"Agent-build with hypervisor {build.hypervisor} os {build.os} architecture {build.architecture} exists."
        ) from error
    return dataclasses.replace(build, id=made.inserted_primary_key[0])  # type: ignore[attr-defined]


def listing(session: Session, hypervisor: str) -> list[AgentBuild]:
    """Return the builds for a hypervisor, all when that is empty."""
    query = sa.select(_TABLE).order_by(_TABLE.c.id)
    if hypervisor:
        query = query.where(_TABLE.c.hypervisor == hypervisor)
    return [AgentBuild(**row._asdict()) for row in session.execute(query)]


def update(session: Session, build_id: int, **values: str) -> bool:
    """Change a build; False when there is none."""
    # MariaDB counts no row that stays as it was: hence the look before.
    if session.execute(sa.select(_TABLE.c.id).where(_TABLE.c.id == build_id)).one_or_none() is None:
        return False
    session.execute(sa.update(_TABLE).where(_TABLE.c.id == build_id).values(**values))
    return True


def delete(session: Session, build_id: int) -> bool:
    """Remove a build; False when there is none."""
    return bool(session.execute(sa.delete(_TABLE).where(_TABLE.c.id == build_id)).rowcount)  # type: ignore[attr-defined]
