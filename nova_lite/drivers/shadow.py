"""Passwords in the form in which /etc/shadow keeps them (crypt(5), SHA-512)."""

from nova_lite.core.errors import DriverError
from nova_lite.drivers.runner import Runner


def hashed(runner: Runner, password: str) -> str:
    """Return a password's hash with a salt of its own; raises DriverError for one with a line's end in it."""
    if not password.isprintable():
        raise DriverError("cannot set a password that is not a line of text.")
    # By standard input: what is on a command line can be read by others.
    return runner.run(["openssl", "passwd", "-6", "-stdin"], stdin=f"{password}\n").strip()
