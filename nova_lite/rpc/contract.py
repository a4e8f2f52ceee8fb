"""What daemons may ask of each other: contracts, and the rows that say how each method is called.

A contract is an ABC. Its methods marked ``@call`` (the caller waits for the answer) or ``@cast`` (a doorbell:
nobody waits, it may be lost) are all that can be reached from outside; their annotations are the types on the
wire. The manager implements it on its host, a remote proxy on the caller's.
"""

import abc
import dataclasses
import enum
import functools
import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from nova_lite.core.errors import NotSupported

F = TypeVar("F", bound=Callable[..., Any])


class Kind(enum.StrEnum):
    """Whether the caller waits."""

    CALL = "call"
    CAST = "cast"


@dataclasses.dataclass(frozen=True, slots=True)
class Method:
    """One method of a contract: its arguments' types by name, the context left out, and its answer's."""

    name: str
    kind: Kind
    arguments: Mapping[str, Any]
    answer: Any


def call(function: F) -> F:
    """Mark a contract's method as one whose answer is waited for."""
    function.rpc_kind = Kind.CALL  # type: ignore[attr-defined]
    return function


def cast(function: F) -> F:
    """Mark a contract's method as one that only rings."""
    function.rpc_kind = Kind.CAST  # type: ignore[attr-defined]
    return function


class Contract(abc.ABC):
    """Base of the contracts. ``topic`` is the daemon's name, ``version`` is major.minor of the methods.

    A new method or a new optional argument raises the minor number, any other change the major one.
    """

    topic: ClassVar[str]
    version: ClassVar[str]


@functools.cache
def methods(contract: type[Contract]) -> Mapping[str, Method]:
    """Return the methods of ``contract`` that may be called from outside, by name."""
    found = {}
    for name, function in inspect.getmembers(contract, inspect.isfunction):
        kind = getattr(function, "rpc_kind", None)
        if kind is None:
            continue
        hints = typing.get_type_hints(function)
        answer = hints.pop("return", None)
        hints.pop("context", None)
        found[name] = Method(name, kind, hints, answer)
    return found


def check_version(contract: type[Contract], asked: str) -> None:
    """Refuse a caller of another major version or a newer minor one; raises NotSupported."""
    offered_major, _, offered_minor = contract.version.partition(".")
    major, _, minor = asked.partition(".")
    fits = major == offered_major and minor.isdigit() and int(minor) <= int(offered_minor)
    if not fits:
        raise NotSupported(
            f"nova-{contract.topic} speaks version {contract.version} of its contract, not {asked}."
        )
