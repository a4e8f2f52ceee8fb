"""Bodies of requests that nobody read."""

import io
import itertools
import types

import pytest

from nova_lite import request_body
from nova_lite.request_body import RequestBody


class Dripping(io.RawIOBase):
    """A connection on which a byte comes at a time, each a second after the other."""

    def __init__(self) -> None:
        self.seconds = itertools.count()
        self.now = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.now = float(next(self.seconds))
        assert self.now < 100, "nobody waits so long for what nobody wants"
        buffer[:1] = b"x"
        return 1


@pytest.mark.parametrize("length", [10**9, None], ids=["of a length", "in chunks"])
def test_a_body_that_drips_and_nobody_wants_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    drip = Dripping()
    source = io.BufferedReader(drip)
    if length is None:
        source = io.BufferedReader(_Joined(b"3b9aca00\r\n", drip))
    monkeypatch.setattr(request_body, "time", types.SimpleNamespace(monotonic=lambda: drip.now))

    assert not RequestBody(source, length).finish()


class _Joined(io.RawIOBase):
    """A beginning, and then what drips."""

    def __init__(self, start: bytes, rest: Dripping) -> None:
        self._start = start
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._start:
            found, self._start = self._start[: len(buffer)], self._start[len(buffer) :]
            buffer[: len(found)] = found
            return len(found)
        return self._rest.readinto(buffer)


def test_a_body_that_comes_at_once_is_forgotten_and_the_connection_goes_on() -> None:
    source = io.BufferedReader(io.BytesIO(b"x" * 10_000_000 + b"next"))  # type: ignore[arg-type]

    assert RequestBody(source, 10_000_000).finish()
    assert source.read() == b"next"
