"""nova-all: every daemon in one process, which needs neither a broker nor a database server."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.all_components


def main() -> NoReturn:
    """Run the cloud."""
    daemon.main(daemon.Program("nova-all", "Runs the whole cloud in one process.", _load, serves_apis=True))


if __name__ == "__main__":
    main()
