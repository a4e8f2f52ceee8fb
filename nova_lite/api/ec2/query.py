"""Reading a request's parameters: from ``Filter.1.Value.2=x`` to lists and structures, by an action's schema."""

import abc
import base64
import binascii
import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

from nova_lite.api.ec2.errors import Ec2Error, invalid, missing

Values = Mapping[str, Any]
"""Parameters as handlers get them, by name: text, numbers, booleans, lists, and mappings of such."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INTEGERS = range(-(2**31), 2**31)
_MOST_ITEMS = 1000
_NOT_PARAMETERS = frozenset(
    {"Action", "Version", "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion", "Timestamp",
     "Expires", "SecurityToken"}
)  # fmt: skip


class Parameter(abc.ABC):
    """One parameter of an action: what its value may be."""

    def __init__(self, name: str, *, required: bool = False) -> None:
        self.name = name
        self.required = required

    @abc.abstractmethod
    def read(self, where: str, found: Any) -> Any:
        """Return the value; raises Ec2Error. ``where`` is the whole name as it was sent."""

    def _scalar(self, where: str, found: Any) -> str:
        if not isinstance(found, str):
            raise Ec2Error("InvalidParameter", f"The parameter {where} has one value and no parts.")
        if _NOT_TEXT.search(found):
            raise invalid(where, "", "It has characters that are not text.")
        return found


class Text(Parameter):
    """Text, of at most so many characters, perhaps one of a few words."""

    def __init__(
        self, name: str, *words: str, longest: int = 4096, least: int = 0, required: bool = False
    ) -> None:
        super().__init__(name, required=required)
        self._words = words
        self._length = range(least, longest + 1)

    def read(self, where: str, found: Any) -> str:
        """Return the text."""
        value = self._scalar(where, found)
        if len(value) not in self._length:
            raise invalid(
                where, value, f"It needs {self._length.start} to {self._length.stop - 1} characters."
            )
        if self._words and value not in self._words:
            raise invalid(where, value, f"It must be one of {', '.join(self._words)}.")
        return value


class Number(Parameter):
    """A whole number."""

    def __init__(
        self,
        name: str,
        *,
        least: int = _INTEGERS.start,
        most: int = _INTEGERS.stop - 1,
        required: bool = False,
    ) -> None:
        super().__init__(name, required=required)
        self._range = range(least, most + 1)

    def read(self, where: str, found: Any) -> int:
        """Return the number."""
        value = self._scalar(where, found)
        if re.fullmatch(r"-?[0-9]{1,10}", value) is None:
            raise invalid(where, value, "It must be a whole number.")
        if int(value) not in self._range:
            raise invalid(where, value, f"It must be from {self._range.start} to {self._range.stop - 1}.")
        return int(value)


class Flag(Parameter):
    """True or false."""

    def read(self, where: str, found: Any) -> bool:
        """Return the boolean."""
        value = self._scalar(where, found)
        if value.lower() not in ("true", "false"):
            raise invalid(where, value, "Expected: true or false.")
        return value.lower() == "true"


class Moment(Parameter):
    """A moment (ISO 8601)."""

    def read(self, where: str, found: Any) -> datetime.datetime:
        """Return the moment in UTC, without zone."""
        value = self._scalar(where, found)
        try:
            moment = datetime.datetime.fromisoformat(value)
            return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
        except (ValueError, OverflowError) as error:
            raise invalid(where, value, "It must be a date and time of ISO 8601.") from error


class Blob(Parameter):
    """Bytes, sent in Base64; handlers get the Base64 text without line breaks."""

    def read(self, where: str, found: Any) -> str:
        """Return the Base64 text."""
        value = "".join(self._scalar(where, found).split())
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError) as error:
            raise invalid(where, value, "It must be Base64.") from error
        return value


class Struct(Parameter):
    """Parameters with a common prefix."""

    def __init__(self, name: str, *members: Parameter, required: bool = False) -> None:
        super().__init__(name, required=required)
        self._members = members

    def read(self, where: str, found: Any) -> Values:
        """Return the members by name."""
        if isinstance(found, str):
            raise Ec2Error("InvalidParameter", f"The parameter {where} has parts and no value.")
        return read_members(self._members, found, f"{where}.")


class Many(Parameter):
    """A list: ``Name.1``, ``Name.2`` and so on; one without a number is a list of one."""

    def __init__(self, item: Parameter, *, required: bool = False) -> None:
        super().__init__(item.name, required=required)
        self._item = item

    def read(self, where: str, found: Any) -> list[Any]:
        """Return the items in the order of their numbers."""
        if isinstance(found, str):
            return [self._item.read(where, found)]
        if not all(key.isascii() and key.isdigit() and len(key) < 10 for key in found):
            odd = next(key for key in found if not (key.isascii() and key.isdigit() and len(key) < 10))
            raise _unknown(f"{where}.{odd}")
        if len(found) > _MOST_ITEMS:
            raise invalid(where, len(found), f"There may be {_MOST_ITEMS} of them.")
        return [self._item.read(f"{where}.{key}", found[key]) for key in sorted(found, key=int)]


def ids(name: str, *, required: bool = False) -> Many:
    """A list of identifiers or names."""
    return Many(Text(name, longest=255), required=required)


FILTERS = Many(Struct("Filter", Text("Name", required=True, longest=255), Many(Text("Value", longest=1024))))
PAGE = (Number("MaxResults"), Text("NextToken"))
_TAG = Struct("Tag", Text("Key", required=True, longest=1024), Text("Value", longest=1024))
TAGS = Many(_TAG)
SOME_TAGS = Many(_TAG, required=True)
TAG_SPECIFICATIONS = Many(Struct("TagSpecification", Text("ResourceType", required=True), TAGS))
CLIENT_TOKEN = Text("ClientToken", longest=64)
DRY_RUN = Flag("DryRun")


def tree(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return parameters by the parts of their names; raises Ec2Error for names that exclude each other."""
    found: dict[str, Any] = {}
    others: set[str] = set()
    for name, value in pairs:
        if name in _NOT_PARAMETERS or name.startswith("X-Amz-"):
            if name in others:
                raise _malformed(name)
            others.add(name)
            continue
        *path, last = name.split(".")
        place = found
        for part in path:
            place = place.setdefault(part, {})
            if isinstance(place, str):
                raise _malformed(name)
        if last in place:
            raise _malformed(name)
        place[last] = value
    return found


def read_members(members: Iterable[Parameter], found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the values of parameters by name; raises Ec2Error for a missing, an unknown or a bad one."""
    known = {member.name: member for member in members}
    values = {}
    for name, value in found.items():
        if name not in known:
            raise _unknown(prefix + name)
        values[name] = known[name].read(prefix + name, value)
    for member in known.values():
        if member.required and values.get(member.name) in (None, "", []):
            raise missing(prefix + member.name)
    return values


def plain_values(values: Mapping[str, Any]) -> list[Any]:
    """Return parameters in a form that is the same for the same request, the client's token left out."""
    return [[name, _plain(values[name])] for name in sorted(values) if name not in ("ClientToken", "DryRun")]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [[name, _plain(value[name])] for name in sorted(value)]
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | bool) else str(value)


def _unknown(name: str) -> Ec2Error:
    return Ec2Error("UnknownParameter", f"The parameter {name[:200]} is not recognized")


def _malformed(name: str) -> Ec2Error:
    return Ec2Error("InvalidParameterCombination", f"The parameter {name[:200]} is there twice.")
