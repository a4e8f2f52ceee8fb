"""Whose request a log line belongs to: the context that is bound while its work runs.

``bound`` is entered where work begins: a request at a front door, a message, an action. Every line that is
logged inside carries the request id, the user and the project.
"""

import contextlib
import contextvars
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from nova_lite.core.context import RequestContext

_fields: contextvars.ContextVar[Mapping[str, str] | None] = contextvars.ContextVar("log_fields", default=None)


@contextlib.contextmanager
def bound(context: RequestContext) -> Iterator[None]:
    """Let the log lines of the work inside carry the request id, the user and the project."""
    fields = {"request_id": context.request_id, "user": context.user_id, "project": context.project_id}
    token = _fields.set(fields)
    try:
        yield
    finally:
        _fields.reset(token)


def install() -> None:
    """Make every log record carry the fields that are bound, as ``record.context``."""
    make = logging.LogRecord

    def factory(*args: Any, **keywords: Any) -> logging.LogRecord:
        record = make(*args, **keywords)
        record.context = _fields.get()
        return record

    logging.setLogRecordFactory(factory)
