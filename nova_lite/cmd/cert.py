"""nova-cert: signs users' certificates."""

from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return wiring.cert_components


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-cert", "Signs users' certificates.", _load))


if __name__ == "__main__":
    main()
