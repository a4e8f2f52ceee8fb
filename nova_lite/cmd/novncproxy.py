"""nova-novncproxy: shows the screens of guests in browsers."""

import functools
from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return functools.partial(wiring.proxy_components, name="novnc")


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-novncproxy", "Shows the screens of guests in browsers.", _load))


if __name__ == "__main__":
    main()
