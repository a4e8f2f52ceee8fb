"""nova-compute: runs the guests of this host."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.compute_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-compute", "Runs the guests of this host.", _load))


if __name__ == "__main__":
    main()
