"""nova-network: makes the networks of this host."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.network_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(
        daemon.Program("nova-network", "Gives guests addresses and makes the networks of this host.", _load)
    )


if __name__ == "__main__":
    main()
