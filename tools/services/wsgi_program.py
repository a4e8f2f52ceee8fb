"""``python -m tools.services.wsgi_program MODULE PORT``: serves ``application`` of a module."""

import importlib
import signal
import sys
from typing import Any

from cheroot.wsgi import Server


class _Body:
    """A request's body that the application may close: cheroot's own would close the connection with it."""

    def __init__(self, stream: Any) -> None:
        self.read, self.readline = stream.read, stream.readline

    def close(self) -> None:
        """Leave the connection open."""


def _kept_open(application: Any) -> Any:
    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        return application(environ | {"wsgi.input": _Body(environ["wsgi.input"])}, start_response)

    return answer


def main() -> int:
    """Serve until told to end."""
    module, port = sys.argv[1], int(sys.argv[2])
    # Keystone and Glance read the command line, too, when they are loaded.
    del sys.argv[1:]
    server = Server(("127.0.0.1", port), _kept_open(importlib.import_module(module).application))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.safe_start()
    return 0


if __name__ == "__main__":
    sys.exit(main())
