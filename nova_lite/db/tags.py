"""Finding rows by tags, which are kept as a JSON list of texts in a column of their row."""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from nova_lite.core.tags import TagFilter
from nova_lite.db.base import LONG_TEXT

_ESCAPE = "!"


def matching(column: sa.ColumnElement[Any], wanted: TagFilter) -> list[sa.ColumnElement[bool]]:
    """Return the conditions under which the tags of ``column`` are as wanted."""
    conditions = [_has(column, tag) for tag in wanted.all_of]
    if wanted.any_of:
        conditions.append(sa.or_(*_each(column, wanted.any_of)))
    if wanted.not_all_of:
        conditions.append(sa.not_(sa.and_(*_each(column, wanted.not_all_of))))
    if wanted.not_any_of:
        conditions.append(sa.not_(sa.or_(*_each(column, wanted.not_any_of))))
    return conditions


def _each(column: sa.ColumnElement[Any], tags: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    return [_has(column, tag) for tag in tags]


def _has(column: sa.ColumnElement[Any], tag: str) -> sa.ColumnElement[bool]:
    """Look for the tag as it stands in the list, in quotation marks that no tag has unescaped."""
    text = sa.type_coerce(column, LONG_TEXT)
    return text.contains(json.dumps(tag), autoescape=True, escape=_ESCAPE)
