"""Unmodified clients, started once: their commands are run one after the other."""

import dataclasses
import json
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from nova_lite import concurrency

OPENSTACK = "openstackclient.shell"
NOVA = "novaclient.shell"
"""The modules that are the programs openstack and nova."""
TOP = Path(__file__).resolve().parents[1]


class ClientError(Exception):
    """A command failed; the text is what it said."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What came of a command."""

    status: int
    printed: str
    complained: str

    @property
    def found(self) -> Any:
        """What was printed, as JSON where it is some."""
        try:
            return json.loads(self.printed)
        except ValueError:
            return self.printed


class Client:
    """A client in an environment; ``inside`` are words before its program, such as those of a namespace."""

    def __init__(self, environment: Mapping[str, str], inside: Sequence[str] = (), shell: str = OPENSTACK) -> None:
        self._process = subprocess.Popen(
            [*inside, sys.executable, "-m", "tools.client_program", shell], cwd=TOP, text=True,
            env=dict(environment) | {"PYTHONWARNINGS": "ignore"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, *words: str) -> Answer:
        """Run a command, whatever comes of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return Answer(**json.loads(concurrency.blocking(self._process.stdout.readline)))

    def run(self, *words: str) -> Any:
        """Run a command that has to succeed; returns its JSON, or its text. Raises ClientError."""
        answer = self.ask(*words)
        if answer.status:
            raise ClientError(f"{shlex.join(words)}: {answer.printed}{answer.complained}")
        return answer.found

    def close(self) -> None:
        """End the client."""
        concurrency.blocking(self._process.communicate)
