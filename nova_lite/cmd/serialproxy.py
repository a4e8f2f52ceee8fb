"""nova-serialproxy: lets people at the serial ports of guests."""

import functools
from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return functools.partial(wiring.proxy_components, name="serial")


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-serialproxy", "Lets people at the serial ports of guests.", _load))


if __name__ == "__main__":
    main()
