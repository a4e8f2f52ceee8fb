"""The one way to other programs: argument vectors only, never a shell, each with a deadline.

A daemon that is not root runs what needs root through ``root_helper`` (``sudo -n`` by default); ``PRIVILEGED``
is the list of programs that it may be asked for, and what an operator has to allow there.
"""

import dataclasses
import logging
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from nova_lite import concurrency
from nova_lite.core.errors import ConfigurationError, DriverError

LOG = logging.getLogger(__name__)

PRIVILEGED = frozenset({"nft", "dnsmasq", "conntrack", "kill", "modprobe", "rmdir", "sysctl", "unshare", "sync"})
"""Programs that are run as root."""

_SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """How much a program may take that reads what others send."""

    memory_bytes: int
    cpu_seconds: int

    def before(self, argv: Sequence[str]) -> list[str]:
        """Return the words that run a program within the limits."""
        return ["prlimit", f"--as={self.memory_bytes}", f"--cpu={self.cpu_seconds}", "--core=0", "--", *argv]


@dataclasses.dataclass(frozen=True, slots=True)
class Runner:
    """Runs programs; ``root_helper`` is put before a privileged one where this process is not root."""

    root_helper: tuple[str, ...] = ("sudo", "-n")

    @classmethod
    def from_flag(cls, root_helper: str) -> "Runner":
        """Build the runner from the flag's text."""
        return cls(tuple(shlex.split(root_helper)))

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout: float = 60.0,
        allowed: Sequence[int] = (0,),
        environment: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> str:
        """Run a program, within ``limits`` if there are any, and return what it printed.

        Raises DriverError when it cannot be run, takes longer than ``timeout`` seconds, or ends with a
        status that is not ``allowed``.
        """
        LOG.debug("running %s", argv)
        try:
            full = argv if limits is None else limits.before(argv)
            done = concurrency.blocking(_run, full, stdin, timeout, environment)
        except FileNotFoundError as error:
            raise DriverError(f"cannot run {argv[0]}: the program is not installed.") from error
        except subprocess.TimeoutExpired as error:
            raise DriverError(
                f"cannot wait for {argv[0]}: it took longer than {timeout:g} seconds."
            ) from error
        if done.returncode not in allowed:
            raise DriverError(f"{argv[0]} failed: {_reason(done)}")
        return done.stdout

    def privileged(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        timeout: float = 60.0,
        allowed: Sequence[int] = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> str:
        """Run a program of ``PRIVILEGED`` as root; as ``run`` otherwise."""
        if argv[0] not in PRIVILEGED:
            raise DriverError(f"cannot run {argv[0]} as root: it is not in the list of such programs.")
        full = list(argv)
        if os.geteuid() != 0:
            # sudo passes no environment on, so it is set behind it.
            settings = [f"{name}={value}" for name, value in (environment or {}).items()]
            full = [*self.root_helper, *(["env", *settings] if settings else []), *argv]
        return self.run(full, stdin=stdin, timeout=timeout, allowed=allowed, environment=environment)


def require_programs(*names: str) -> None:
    """Raise ConfigurationError unless all programs are installed."""
    missing = [name for name in names if shutil.which(name, path=_search_path()) is None]
    if missing:
        raise ConfigurationError(f"These programs are needed and not installed: {', '.join(missing)}.")


def _reason(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the line that tells most: the first that speaks of an error, or the last."""
    lines = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
    return next((line for line in lines if "rror" in line), lines[-1])


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:{_SYSTEM_FOLDERS}"


def _run(
    argv: Sequence[str], stdin: str, timeout: float, environment: Mapping[str, str] | None
) -> "subprocess.CompletedProcess[str]":
    full = {**os.environ, "PATH": _search_path(), "LC_ALL": "C", **(environment or {})}
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=timeout, env=full, check=False
    )
