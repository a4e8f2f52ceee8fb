"""Every flag, typed and documented, one module a daemon.

``load`` is what a program calls. This package loads nothing heavy before: the choice of concurrency comes
first (``conf.files.peek``).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oslo_config.cfg import ConfigOpts


def load(arguments: Sequence[str], prog: str, about: str = "") -> "ConfigOpts":
    """Return the flags of a process from its command line (without the program) and the flag files.

    Raises ConfigurationError with one sentence for an unknown flag, a bad value, a file that cannot be read
    and arguments that are no flags. ``--help`` (with ``about`` on top) and ``--version`` print and exit.
    """
    from nova_lite.conf import flags

    return flags.load(arguments, prog, about)


def needs_value(argument: str) -> bool:
    """Tell whether ``--flag`` is a flag that has its value in the next argument."""
    from nova_lite.conf import flags

    return flags.needs_value(argument)
