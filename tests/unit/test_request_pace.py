"""How slowly a request may come, by a clock of the test's own."""

import io
import math

import pytest

from nova_lite.core.errors import SlowRequest
from nova_lite.request_pace import Pace, PacedReads


class Client:
    """A connection on which ``size`` bytes come every ``seconds``; more than its time limit it does not wait."""

    def __init__(self, size: int, seconds: float) -> None:
        self.size, self.seconds = size, seconds
        self.now = self.waits = 0.0
        self.limit = 75.0

    def gettimeout(self) -> float:
        return self.limit

    def settimeout(self, limit: float) -> None:
        self.limit = limit

    def recv_into(self, buffer: memoryview) -> int:
        waited, self.waits = self.waits, 0.0
        self.now += min(self.seconds - waited, self.limit)
        if self.seconds - waited > self.limit:
            self.waits = waited + self.limit
            raise TimeoutError("timed out")
        return min(self.size, len(buffer))


def reading(client: Client, *, rate: int = 100) -> tuple[PacedReads, io.BufferedReader]:
    paced = PacedReads(io.RawIOBase(), client, Pace(rate, 30.0), lambda: client.now)
    return paced, io.BufferedReader(paced)


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.5), (1, 29.0), (99, 1.0), (10**6, 31.0), (1, math.inf)])
def test_who_sends_too_slowly_is_left_after_one_window(size: int, seconds: float) -> None:
    client = Client(size, seconds)
    _, body = reading(client)

    with pytest.raises(SlowRequest):
        body.read(10**9)

    assert client.now == pytest.approx(30.0)
    with pytest.raises(SlowRequest):
        body.read(1)
    assert client.limit == 75.0, "what the server itself sends has its own time limit"


@pytest.mark.parametrize(("size", "seconds"), [(1, 0.009), (101, 1.0), (3000, 29.9), (1, 0.0)])
def test_who_sends_as_fast_as_is_wanted_is_heard_to_the_end(size: int, seconds: float) -> None:
    _, body = reading(Client(size, seconds))

    assert len(body.read(20_000)) == 20_000


def test_the_time_in_which_the_server_is_busy_itself_is_not_the_clients() -> None:
    client = Client(100, 0.1)
    _, body = reading(client)

    for _ in range(50):
        assert len(body.read(100)) == 100
        client.now += 100.0


def test_a_connection_rests_between_requests_for_as_long_as_it_may() -> None:
    client = Client(1, 70.0)
    paced, body = reading(client)
    paced.begin(rests=True)

    assert len(body.read(1)) == 1

    with pytest.raises(SlowRequest):
        body.read(1)


def test_without_a_rate_nothing_is_measured() -> None:
    _, body = reading(Client(1, 70.0), rate=0)

    assert len(body.read(100)) == 100
