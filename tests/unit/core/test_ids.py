"""What identifiers and secrets look like."""

import itertools
from collections.abc import Iterator

import pytest

from nova_lite.core import ids


def test_a_secret_never_looks_like_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Iterator[bytes] = itertools.chain([b"\xf8\x00\x00"], itertools.repeat(b"\x00\xf8\x00"))
    monkeypatch.setattr("secrets.token_bytes", lambda size: next(drawn))

    assert ids.new_secret(3) == "APgA"
