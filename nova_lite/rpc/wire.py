"""What crosses the bus, as JSON text: requests, answers, errors, and the values in them.

Values are read by the type that the contract declares for them, so that what arrives is what was declared or
an InvalidInput. Errors cross as the name of their class in ``core.errors`` and their sentence.
"""

import dataclasses
import datetime
import enum
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nova_lite.core import errors
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NovaError

Decoder = Callable[[Any], Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A message: which method of which version of a contract, for whom, with which arguments (plain JSON)."""

    method: str
    version: str
    context: RequestContext
    arguments: Mapping[str, Any]


def encode_request(request: Request) -> str:
    """Return the message for ``request``; the caller's token stays at home."""
    context = dataclasses.replace(request.context, token_id="")
    return _dumps(
        {
            "method": request.method,
            "version": request.version,
            "context": encode(context),
            "arguments": {name: encode(value) for name, value in request.arguments.items()},
        }
    )


def decode_request(text: str) -> Request:
    """Read a message; its arguments stay plain until the method's types are known. Raises InvalidInput."""
    document = _loads(text)
    try:
        return Request(
            method=decode(document["method"], str),
            version=decode(document["version"], str),
            context=decode(document["context"], RequestContext),
            arguments=decode(document["arguments"], dict),
        )
    except (KeyError, TypeError) as error:
        raise InvalidInput("The message is not a request.") from error


def encode_answer(value: Any) -> str:
    """Return the message that answers with ``value``."""
    return _dumps({"result": encode(value)})


def encode_error(error: BaseException) -> str:
    """Return the message that answers with an error; one that is not ours shows only its kind."""
    name = type(error).__name__ if isinstance(error, NovaError) else NovaError.__name__
    return _dumps({"error": name, "sentence": errors.sentence(error)})


def decode_answer(text: str, declared: Any) -> Any:
    """Return the answer as the declared type, or raise the error that came instead."""
    document = _loads(text)
    if "error" in document:
        raise error_class(str(document["error"]))(str(document.get("sentence", "")))
    return decode(document.get("result"), declared)


def error_class(name: str) -> type[NovaError]:
    """Return the class of ``core.errors`` by this name, NovaError for one that this version does not know."""
    found = getattr(errors, name, None)
    return found if isinstance(found, type) and issubclass(found, NovaError) else NovaError


def encode(value: Any) -> Any:
    """Return ``value`` as plain JSON values; raises TypeError for what has no place in a message."""
    if value is None or isinstance(value, bool | int | float | str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes | bytearray):
        return [encode(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"cannot send a {type(value).__name__} over the bus")


def decode(value: Any, declared: Any) -> Any:
    """Return the plain ``value`` as the declared type; raises InvalidInput when it does not fit."""
    return _decoder(declared)(value)


@functools.cache
def _decoder(declared: Any) -> Decoder:
    if declared is Any:
        return lambda value: value
    if declared is None or declared is type(None):
        return functools.partial(_plain, type(None))
    origin = typing.get_origin(declared)
    if origin is not None:
        return _generic_decoder(origin, typing.get_args(declared))
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return functools.partial(_converted, declared)
    if declared is datetime.datetime:
        return functools.partial(_converted, datetime.datetime.fromisoformat)
    if dataclasses.is_dataclass(declared):
        return functools.partial(_dataclass, declared, typing.get_type_hints(declared))
    return functools.partial(_plain, declared)


def _generic_decoder(origin: Any, arguments: tuple[Any, ...]) -> Decoder:
    if origin in (typing.Union, types.UnionType):
        return functools.partial(_first_that_fits, tuple(_decoder(kind) for kind in arguments))
    if issubclass(origin, Mapping):
        return functools.partial(_mapping, _decoder(arguments[1]))
    container = origin if origin in (tuple, list, set, frozenset) else tuple
    return functools.partial(_items, container, _decoder(arguments[0]))


def _plain(kind: type, value: Any) -> Any:
    fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not fits and not (kind is float and isinstance(value, int)):
        raise InvalidInput(f"A message has a {type(value).__name__} where a {kind.__name__} is declared.")
    return value


def _converted(convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"A message has a value that is not known: {error}.") from error


def _items(container: Callable[[Any], Any], each: Decoder, value: Any) -> Any:
    return container(each(item) for item in _plain(list, value))


def _mapping(each: Decoder, value: Any) -> dict[str, Any]:
    return {key: each(item) for key, item in _plain(dict, value).items()}


def _first_that_fits(decoders: tuple[Decoder, ...], value: Any) -> Any:
    for decoder in decoders[:-1]:
        try:
            return decoder(value)
        except InvalidInput:
            continue
    return decoders[-1](value)


def _dataclass(kind: Any, hints: Mapping[str, Any], value: Any) -> Any:
    """Read a dataclass; a field of a newer version that this one does not know is passed over."""
    known = {name: decode(item, hints[name]) for name, item in _plain(dict, value).items() if name in hints}
    try:
        return kind(**known)
    except TypeError as error:
        raise InvalidInput(f"A message has an incomplete {kind.__name__}.") from error


def _dumps(document: Any) -> str:
    return json.dumps(document, separators=(",", ":"))


def _loads(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput("The message is not JSON.") from error
    if not isinstance(document, dict):
        raise InvalidInput("The message is not a JSON object.")
    return document
