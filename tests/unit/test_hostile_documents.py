"""XML from clients that is none, or more than it seems: every reader says so in its own words."""

from collections.abc import Callable

import pytest

from nova_lite.api.middleware import xml_bodies
from nova_lite.core.bundle import BadBundle
from nova_lite.core.errors import InvalidInput, NovaError
from nova_lite.drivers.image.bundle import parse_manifest, signed_part
from nova_lite.objectstore import xml

DOCUMENTS = (
    b"", b"\0", b"<a>", b"<?xml version='1.0' encoding='nonsense'?><a/>", b"<?xml version='1.0' encoding='idna'?><a/>",
    b"<?xml version='1.0' encoding='utf-7'?><a/>", b"<?xml version='1.0' encoding='utf-16'?><a/>",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
    b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", b"<a>\xff</a>", b"<a>&#0;</a>",
    b"<a " + b" ".join(b"a%d=''" % number for number in range(1000)) + b">", b"<a>" * 10_000,
)  # fmt: skip

READERS: tuple[tuple[Callable[[bytes], object], type[NovaError]], ...] = (
    (lambda text: xml.parse(text, "b"), xml.Malformed),
    (parse_manifest, BadBundle),
    (xml_bodies.read, InvalidInput),
)


@pytest.mark.parametrize(("read", "error"), READERS)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_that_is_none_is_refused(
    read: Callable[[bytes], object], error: type[NovaError], document: bytes
) -> None:
    with pytest.raises(error):
        read(document)


def test_what_is_signed_of_a_manifest_is_found_in_one_go() -> None:
    head = b"<signature>aa</signature><machine_configuration></machine_configuration>"

    assert signed_part(head + b"<image>" * 500_000) is None
    found = signed_part(head + b"<images/><image a='b'><image></image></image>")
    assert found is not None
    assert found[0].endswith(b"</machine_configuration><image a='b'><image></image></manifest>")
