"""The server of WSGI applications keeps the same promises in both modes of concurrency, each in a process."""

import contextlib
import http.client
import io
import socket
import subprocess
import sys
import threading

import pytest

from nova_lite import concurrency, wsgi_server
from nova_lite.core.errors import ConfigurationError
from nova_lite.request_body import RequestBody

MODES = [mode.value for mode in concurrency.Mode]


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


SERVER = """
import os, sys, time
from nova_lite import concurrency, wsgi_server
from nova_lite.request_pace import Pace
concurrency.choose(concurrency.Mode(sys.argv[1]))

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        print("busy", flush=True)
        time.sleep(0.5)
    if environ["PATH_INFO"] == "/bug":
        raise ValueError("a secret of the server")
    try:
        body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "PUT" else b"hello"
    except TimeoutError:
        start_response("408 Request Timeout", [("Content-Length", "0")])
        return []
    start_response("200 OK", [("Content-Length", str(len(body))), ("x-Case", "kept")])
    return [body]

pace = Pace(rate=1000, window=0.3) if "strict" in sys.argv else Pace()
server = wsgi_server.WsgiServer(app, wsgi_server.listen("127.0.0.1", 0), pace=pace)
server.start()
print(server.port, flush=True)
concurrency.blocking(sys.stdin.readline)
server.stop(5)
print("stopped", flush=True)
os._exit(0)
"""


class Site:
    """A server in a process of its own."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVER, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def stop(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def close(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def site(mode):
    site = Site(mode)
    yield site
    site.close()


@pytest.fixture
def strict(mode):
    """A server that waits for 0.3 seconds within a request."""
    site = Site(mode, "strict")
    yield site
    site.close()


def test_a_connection_serves_many_requests(site):
    connection = site.connect()
    connection.connect()
    sock = connection.sock

    for _ in range(3):
        connection.request("GET", "/")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"hello")

    assert connection.sock is sock


def test_a_body_in_chunks_arrives_whole(site):
    connection = site.connect()

    connection.request("PUT", "/", body=iter([b"a" * 70000, b"b"]), encode_chunked=True)

    assert connection.getresponse().read() == b"a" * 70000 + b"b"


UNCLEAR = (
    "Content-Length: 4\r\nTransfer-Encoding: chunked", "Content-Length: 4\r\nContent-Length: 0", "Content-Length: +4",
    "Content-Length: 1_0", "Content-Length: -1", "Content-Length: 4, 4", "Content-Length : 4", "Content-Length:\v4",
    "Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding:\vchunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "A B: c\r\nContent-Length: 34",
    "A : b\r\nContent-Length: 34", "A: b\rContent-Length: 34", "A: b\r\rC: d\r\nContent-Length: 34",
    "A: b\r\n Content-Length: 34",
)  # fmt: skip
"""Headers after which two could see the end of a request in different places."""


INSIDE = "GET / HTTP/1.1\r\nHost: x\r\nC: d\r\n\r\n"
"""What is a request of its own to who takes it for no body of the one before."""


def said(site, request):
    """What is answered until the server ends the connection, which it may also do without a word."""
    answer = b""
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as connection:
        connection.sendall(request.encode())
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                answer += piece
    return answer


def test_a_request_whose_end_is_not_clear_is_the_last_of_its_connection(site):
    for head in UNCLEAR:
        answer = said(site, f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n\r\n{INSIDE}{INSIDE}")
        assert answer.count(b"HTTP/1.1 ") <= 1 and b" 200 " not in answer, head


def test_headers_of_any_text_are_taken(site):
    connection = site.connect()
    odd = {"X-Words": "caf\u00e9 \t 'a', \"b\"; c:d", "x-amz-meta-_.~!": "", "Content-Type": "message/rfc822"}
    for _ in range(2):
        connection.request("PUT", "/", b"told", odd)
        assert connection.getresponse().read() == b"told"


@pytest.mark.parametrize("verb", ["PUT", "POST"])
def test_a_body_that_is_not_in_chunks_ends_its_connection_read_or_not(site, verb):
    for body in ("+5\r\nhello", "0x5\r\nhello", "-5", "5\r\nhellothere", "5 ;a\nb\r\nhello", "\r\n5\r\nhello"):
        head = f"{verb} / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = said(site, f"{head}{body}\r\n0\r\n\r\n{INSIDE}")
        assert answer.count(b"HTTP/1.1 ") <= 1, body


@pytest.mark.parametrize("size", [b"+5", b"0x5", b"0_5", b"-5", b""])
def test_a_chunk_whose_size_is_no_hexadecimal_number_is_none(size):
    body = RequestBody(io.BufferedReader(io.BytesIO(size + b"\r\nhello\r\n0\r\n\r\n")), None)

    with pytest.raises(OSError, match="chunks"):
        body.read()


def test_headers_that_are_too_large_are_refused(site):
    connection = site.connect()

    connection.request("GET", "/", headers={f"X-{number}": "a" * 4000 for number in range(40)})

    assert connection.getresponse().status in (400, 413, 431)


def test_the_inside_of_a_bug_is_not_shown(site):
    connection = site.connect()

    connection.request("GET", "/bug")

    answer = connection.getresponse()
    assert answer.status == 500
    assert b"secret" not in answer.read()


def test_a_request_under_way_is_answered_before_the_server_stops(site):
    answers = []

    def ask():
        connection = site.connect()
        connection.request("GET", "/slow")
        answers.append(connection.getresponse().read())

    asking = threading.Thread(target=ask)
    asking.start()
    assert site.process.stdout.readline() == "busy\n"

    site.stop()

    asking.join(20)
    assert answers == [b"hello"]
    assert site.process.stdout.readline() == "stopped\n"


def test_a_stopped_server_takes_no_connection(site):
    site.stop()
    assert site.process.stdout.readline() == "stopped\n"

    with pytest.raises(OSError, match="refused"):
        site.connect().connect()


def test_a_port_that_is_taken_is_said_in_one_sentence():
    taken = wsgi_server.listen("127.0.0.1", 0)
    port = taken.getsockname()[1]

    with pytest.raises(
        ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"
    ):
        wsgi_server.listen("127.0.0.1", port)

    taken.close()


def test_an_address_that_is_not_ours_is_said_in_one_sentence():
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.200:0: Cannot assign"):
        wsgi_server.listen("192.0.2.200", 0)


STOPPED = (
    "PUT / HT", "PUT / HTTP/1.1\r\nHost: x\r\nConte", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfew",
    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nfew",
)  # fmt: skip
"""Requests that go no further."""


def test_a_client_that_stops_in_a_request_is_left(strict):
    for sent in STOPPED:
        answer = said(strict, sent)
        assert answer.startswith(b"HTTP/1.1 408 ") or (not answer and sent == STOPPED[0]), sent


def test_a_client_may_rest_between_two_requests(strict):
    connection = strict.connect()
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"hello"
    sock = connection.sock
    # Longer than what the server waits within a request.
    said(strict, STOPPED[1])

    connection.request("GET", "/")

    assert connection.getresponse().read() == b"hello"
    assert connection.sock is sock
