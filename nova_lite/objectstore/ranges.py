"""Parts of objects: the Range header, and the parts that an object was uploaded in."""

import dataclasses
import re

from nova_lite.core.objects import ObjectVersion
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import natural

_RANGE = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """Some bytes of an object."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        """Return the header that says which bytes these are."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


def of_header(text: str, size: int) -> Span | None:
    """Return the bytes that a Range header wants, None for all; raises S3Error for a range beyond the end.

    What is not one range of bytes is not looked at, as HTTP has it.
    """
    found = _RANGE.fullmatch(text.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        length = min(int(last), size)
        span = Span(size - length, length)
    else:
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return None
        span = Span(int(first), end - int(first) + 1)
    if span.length <= 0:
        raise S3Error("InvalidRange", RangeRequested=text, ActualObjectSize=str(size))
    return span


def of_copy_source(text: str, size: int) -> Span:
    """Return the bytes that a part is copied from, all where none are named; raises S3Error."""
    if not text:
        return Span(0, size)
    found = _RANGE.fullmatch(text)
    if found is None or "" in found.groups() or int(found.group(1)) > int(found.group(2)):
        raise S3Error(
            "InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last"
        )
    first, last = int(found.group(1)), int(found.group(2))
    if last >= size:
        raise S3Error("InvalidArgument", f"Range specified is not valid for source object of size: {size}")
    return Span(first, last - first + 1)


def of_part(number: str, version: ObjectVersion) -> Span:
    """Return the bytes of one of the parts that an object was uploaded in; raises S3Error."""
    sizes = version.details.get("parts") or [version.size]
    part = natural(number)
    if not part:
        raise S3Error("InvalidArgument", "The part number must be a positive number.")
    if part > len(sizes):
        raise S3Error("InvalidRange", "The requested partnumber is not satisfiable")
    return Span(sum(sizes[: part - 1]), sizes[part - 1])
