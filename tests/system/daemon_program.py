"""A daemon for tests: two parts that say what happens to them, an API, and periodic work.

Its flag ``--host`` says what goes wrong: ``broken`` and ``buggy`` do not start.
"""

import os
import time

from nova_lite.cmd import daemon


class Part:
    """Says on standard output when it starts and stops."""

    def __init__(self, name):
        self._name = name

    def start(self):
        """Say so."""
        print(f"start {self._name}", flush=True)

    def stop(self, drain_seconds):
        """Say so."""
        print(f"stop {self._name}", flush=True)


def load():
    """Import what builds the daemon, as a real one does."""
    from nova_lite import wsgi_server
    from nova_lite.cmd import sockets
    from nova_lite.core.errors import ConfigurationError

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/die":
            os.kill(os.getpid(), 9)
        if environ["PATH_INFO"] == "/slow":
            print("busy", flush=True)
            time.sleep(1)
        body = str(os.getpid()).encode()
        start_response("200 OK", [("Content-Length", str(len(body))), ("Connection", "close")])
        return [body]

    runs = []

    def work():
        runs.append(1)
        print(f"run {len(runs)}", flush=True)
        if len(runs) == 1:
            raise ZeroDivisionError("in the first run")

    def build(conf):
        if conf.host == "broken":
            raise ConfigurationError("cannot find what it needs")
        if conf.host == "buggy":
            raise ZeroDivisionError("in the wiring")
        print(f"concurrency {conf.concurrency}, debug {conf.debug}", flush=True)
        server = wsgi_server.WsgiServer(application, sockets.of_api(conf, "image"))
        return [Part("first"), server, daemon.Periodic("work", 0.05, work), Part("last")]

    return build


if __name__ == "__main__":
    daemon.main(daemon.Program("nova-test", "A daemon for tests.", load, serves_apis=True, many=True))
