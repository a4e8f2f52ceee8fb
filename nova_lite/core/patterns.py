"""Regular expressions that users write.

They are read and matched by RE2, in time that grows with the text alone: with Python's own a pattern can take
longer than anybody lives, and nothing else in the process goes on meanwhile.
"""

import functools
from typing import Any

import re2

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


def is_pattern(text: str) -> bool:
    """Tell whether a text is a regular expression, of the kind that needs no going back."""
    try:
        _compiled(text)
    except re2.error:
        return False
    return True


def is_found(pattern: str, text: str | None) -> bool | None:
    """Tell whether a pattern is found in a text; None for none, as in SQL."""
    return None if text is None else _compiled(pattern).search(text) is not None


@functools.lru_cache(64)
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern, _OPTIONS)
