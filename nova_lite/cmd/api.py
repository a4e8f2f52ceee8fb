"""nova-api: serves the APIs that enabled_apis names."""

import importlib
from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    # Here, before the process divides, so that the code is in memory once for all workers.
    importlib.import_module("nova_lite.cmd.wiring.apis")
    return wiring.api_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(
        daemon.Program("nova-api", "Serves the cloud's APIs over HTTP.", _load, serves_apis=True, many=True)
    )


if __name__ == "__main__":
    main()
