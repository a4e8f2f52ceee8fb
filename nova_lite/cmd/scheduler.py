"""nova-scheduler: finds hosts for instances."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.scheduler_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(
        daemon.Program("nova-scheduler", "Chooses a host for each instance that waits for one.", _load)
    )


if __name__ == "__main__":
    main()
