"""nova-xvpvncproxy: shows the screens of guests in the Java viewer of VNC."""

import functools
from typing import NoReturn

from nova_lite.cmd import daemon


def _load() -> daemon.Build:
    from nova_lite.cmd import wiring

    return functools.partial(wiring.proxy_components, name="xvpvnc")


def main() -> NoReturn:
    """Run the daemon."""
    daemon.main(daemon.Program("nova-xvpvncproxy", "Shows the screens of guests in the Java viewer of VNC.", _load))


if __name__ == "__main__":
    main()
