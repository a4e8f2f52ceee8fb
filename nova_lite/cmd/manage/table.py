"""What a nova-manage command is; the table of all of them is assembled in ``commands``."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import prettytable

from nova_lite.core.context import RequestContext, system_context
from nova_lite.db.engine import Database
from nova_lite.operations.cloud import Cloud


@dataclasses.dataclass(frozen=True, slots=True)
class Option:
    """An option of a command: ``--name``; all but switches may also be given by position, in their order."""

    name: str
    help: str
    required: bool = False
    default: Any = None
    kind: Callable[[str], Any] = str
    choices: Sequence[str] = ()
    switch: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Desk:
    """What commands work with."""

    conf: Any
    database: Database
    cloud: Cloud
    context: RequestContext = dataclasses.field(default_factory=system_context)


@dataclasses.dataclass(frozen=True, slots=True)
class Command:
    """One action of a category. ``run`` gets the desk and the options by name, and returns an exit status.

    Those that need tables are refused on a database that is not at the newest revision.
    """

    category: str
    action: str
    run: Callable[..., int | None]
    help: str
    options: tuple[Option, ...] = ()
    needs_tables: bool = True


def show(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as a table."""
    table = prettytable.PrettyTable(list(columns))
    table.align = "l"
    for row in rows:
        table.add_row(["" if value is None else value for value in row])
    print(table)
