"""nova-objectstore: keeps objects for Amazon's S3 clients."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.objectstore_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-objectstore", "Keeps objects for Amazon's S3 clients.", _load))


if __name__ == "__main__":
    main()
