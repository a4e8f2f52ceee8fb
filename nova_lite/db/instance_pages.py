"""Lists of instances: which part is wanted, and reading it."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from nova_lite.core.errors import NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import VmState
from nova_lite.core.tags import TagFilter
from nova_lite.db import tags
from nova_lite.db.base import starting_with
from nova_lite.db.instance_rows import InstanceRow, of_row
from nova_lite.db.networks import FIXED_IPS

_TABLE = cast(sa.Table, InstanceRow.__table__)

SORTABLE = frozenset(
    {
        "access_ip_v4", "access_ip_v6", "availability_zone", "config_drive", "created_at", "description",
        "disk_config", "display_name", "flavor_id", "host", "hostname", "id", "image_id", "kernel_id", "key_name",
        "launch_index", "launched_at", "locked_by", "node", "power_state", "project_id", "ramdisk_id",
        "root_device_name", "task_state", "terminated_at", "updated_at", "user_id", "uuid", "vm_state",
    }
)  # fmt: skip
"""Columns that a page may be sorted and filtered by."""


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What part of a list is wanted; ``project_id`` None means of every project.

    ``filters`` are exact matches by column name, ``patterns`` regular expressions that are found anywhere in a
    column, ``addresses`` those found in a fixed address of IP version 4 or 6. ``moments`` are seconds in which a
    time is. ``soft_deleted`` adds to the deleted ones those that may still be restored.
    ``ended_since`` lists beside the living those that ended since then, and those that may still be restored.
    ``uuid_starts`` are beginnings of the uuids wanted.
    """

    project_id: str | None = None
    filters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    patterns: Mapping[str, str] = dataclasses.field(default_factory=dict)
    addresses: Mapping[int, str] = dataclasses.field(default_factory=dict)
    moments: Mapping[str, datetime.datetime] = dataclasses.field(default_factory=dict)
    deleted: bool = False
    soft_deleted: bool = False
    changes_since: datetime.datetime | None = None
    changes_before: datetime.datetime | None = None
    sort: Sequence[tuple[str, bool]] = (("created_at", True), ("id", True))
    marker: str = ""
    limit: int = 1000
    uuids: Sequence[str] | None = None
    locked: bool | None = None
    tags: TagFilter = dataclasses.field(default_factory=TagFilter)
    ended_since: datetime.datetime | None = None
    uuid_starts: Sequence[str] | None = None


def listing(session: Session, page: Page) -> list[Instance]:
    """Return a page of instances; raises NotFound when its marker is unknown."""
    query = _filtered(page)
    if page.marker:
        query = query.where(_after(session, page))
    for column, descending in page.sort:
        ordered = _TABLE.c[column]
        query = query.order_by(ordered.desc() if descending else ordered.asc())
    return [of_row(row) for row in session.execute(query.limit(page.limit))]


def _filtered(page: Page) -> sa.Select[Any]:
    query = sa.select(_TABLE)
    if page.uuids is not None:
        query = query.where(_TABLE.c.uuid.in_(page.uuids))
    if page.uuid_starts is not None:
        query = query.where(starting_with(_TABLE.c.uuid, page.uuid_starts))
    if page.changes_since is not None:
        query = query.where(_TABLE.c.updated_at >= page.changes_since)
    elif page.ended_since is not None:
        query = query.where(
            sa.or_(_TABLE.c.deleted == sa.false(), _TABLE.c.terminated_at >= page.ended_since)
        )
    else:
        query = query.where(_of_age(page))
    if page.changes_before is not None:
        query = query.where(_TABLE.c.updated_at <= page.changes_before)
    if page.project_id is not None:
        query = query.where(_TABLE.c.project_id == page.project_id)
    seen = page.soft_deleted or page.ended_since is not None
    if "vm_state" not in page.filters and page.changes_since is None and not seen:
        # Those that may still be restored are shown to who asks for them.
        query = query.where(_TABLE.c.vm_state != VmState.SOFT_DELETED)
    for column, value in page.filters.items():
        chosen = _TABLE.c[column]
        query = query.where(chosen.in_(value) if isinstance(value, list | tuple) else chosen == value)
    if page.locked is not None:
        query = query.where(_TABLE.c.locked_by != "" if page.locked else _TABLE.c.locked_by == "")
    query = query.where(*tags.matching(_TABLE.c.tags, page.tags))
    for column, pattern in page.patterns.items():
        query = query.where(_TABLE.c[column].regexp_match(pattern))
    for version, pattern in page.addresses.items():
        query = query.where(_has_address(version, pattern))
    for column, moment in page.moments.items():
        second = moment.replace(microsecond=0)
        chosen = _TABLE.c[column]
        query = query.where(chosen >= second, chosen < second + datetime.timedelta(seconds=1))
    return query


def _of_age(page: Page) -> sa.ColumnElement[bool]:
    """Say whether living or deleted instances are wanted."""
    if not page.deleted:
        return _TABLE.c.deleted == sa.false()
    gone = _TABLE.c.deleted == sa.true()
    return sa.or_(gone, _TABLE.c.vm_state == VmState.SOFT_DELETED) if page.soft_deleted else gone


def _has_address(version: int, pattern: str) -> sa.ColumnElement[bool]:
    """Say that an instance has a fixed address of an IP version, in which a pattern is found."""
    of_version = FIXED_IPS.c.address.contains(":") if version == 6 else ~FIXED_IPS.c.address.contains(":")
    holders = sa.select(FIXED_IPS.c.instance_uuid).where(
        FIXED_IPS.c.instance_uuid.is_not(None), of_version, FIXED_IPS.c.address.regexp_match(pattern)
    )
    return _TABLE.c.uuid.in_(holders)


def _after(session: Session, page: Page) -> sa.ColumnElement[bool]:
    """Say "after the marker" in the page's order: equal in the first columns and beyond it in the next."""
    query = sa.select(_TABLE).where(_TABLE.c.uuid == page.marker)
    if page.project_id is not None:
        query = query.where(_TABLE.c.project_id == page.project_id)
    marker = session.execute(query).one_or_none()
    if marker is None:
        raise NotFound(f"The marker {page.marker} could not be found.")
    branches: list[sa.ColumnElement[bool]] = []
    equal: list[sa.ColumnElement[bool]] = []
    for name, descending in page.sort:
        column, value = _TABLE.c[name], marker._mapping[name]
        if value is not None:
            beyond = column < value if descending else column > value
            branches.append(sa.and_(*equal, beyond))
        equal.append(column.is_(None) if value is None else column == value)
    return sa.or_(*branches)
