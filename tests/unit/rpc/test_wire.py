"""What crosses the bus arrives as it was declared, or is refused."""

import dataclasses
import datetime
import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nova_lite.core import errors
from nova_lite.core.context import RequestContext
from nova_lite.rpc import wire


class Colour(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass(frozen=True, slots=True)
class Thing:
    name: str
    size: int | None = None
    tags: tuple[str, ...] = ()
    colour: Colour = Colour.RED
    made_at: datetime.datetime | None = None
    parts: "list[Part]" = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    weight: float


def there_and_back(value, declared):
    return wire.decode_answer(wire.encode_answer(value), declared)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (None, None),
        ("text", str),
        (7, int),
        (1.5, float),
        (True, bool),
        (["a", "b"], list[str]),
        (("a", "b"), tuple[str, ...]),
        (frozenset({"a"}), frozenset[str]),
        ({"a": 1}, dict[str, int]),
        (None, str | None),
        ("text", str | None),
        (Colour.RED, Colour),
        (datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.datetime),
        (Thing("a", 1, ("x",), made_at=datetime.datetime(2026, 1, 1), parts=[Part(2.5)]), Thing),
        ([Thing("a"), Thing("b", None)], list[Thing]),
        (RequestContext(user_id="u", roles=("admin", "reader")), RequestContext),
    ],
)
def test_a_value_arrives_as_it_was_sent(value, declared):
    arrived = there_and_back(value, declared)

    assert arrived == value
    assert type(arrived) is type(value)


@given(st.dictionaries(st.text(), st.lists(st.text() | st.integers() | st.booleans() | st.none())))
def test_any_plain_value_arrives_as_it_was_sent(value):
    assert there_and_back(value, dict[str, list[str | int | bool | None]]) == value


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (1, str),
        ("1", int),
        (True, int),
        ("x", list[str]),
        ([1], list[str]),
        ({"a": "b"}, dict[str, int]),
        ("blue", Colour),
        ("yesterday", datetime.datetime),
        ({}, Thing),
        ({"name": 1}, Thing),
        (None, str),
    ],
)
def test_a_value_that_was_not_declared_is_refused(value, declared):
    with pytest.raises(errors.InvalidInput):
        there_and_back(value, declared)


def test_a_field_of_a_newer_version_is_passed_over():
    assert there_and_back({"name": "a", "invented_later": 1}, Thing) == Thing("a")


def test_what_has_no_place_in_a_message_is_not_sent():
    with pytest.raises(TypeError, match="cannot send a object"):
        wire.encode_answer(object())


ERRORS = [
    found
    for found in vars(errors).values()
    if isinstance(found, type) and issubclass(found, errors.NovaError)
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_of_the_domain_crosses_as_itself(error):
    with pytest.raises(error) as raised:
        wire.decode_answer(wire.encode_error(error("cannot do it")), None)

    assert type(raised.value) is error
    assert str(raised.value) == "cannot do it"


def test_an_error_that_is_not_ours_shows_its_kind_alone():
    with pytest.raises(errors.NovaError, match="ValueError") as raised:
        wire.decode_answer(wire.encode_error(ValueError("a secret")), None)

    assert "secret" not in str(raised.value)


def test_an_error_of_a_newer_version_becomes_the_base_of_all():
    with pytest.raises(errors.NovaError) as raised:
        wire.decode_answer('{"error": "InventedLater", "sentence": "cannot do it"}', None)

    assert type(raised.value) is errors.NovaError
    assert str(raised.value) == "cannot do it"


def test_a_name_that_is_no_error_is_not_called():
    assert wire.error_class("sentence") is errors.NovaError


def test_the_callers_token_stays_at_home():
    context = RequestContext(user_id="u", token_id="secret-token")

    message = wire.encode_request(wire.Request("perform", "1.0", context, {}))

    assert "secret-token" not in message
    assert wire.decode_request(message).context == dataclasses.replace(context, token_id="")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "{}",
        '{"method": 1}',
        '{"method":"a","version":"1.0","context":[],"arguments":{}}',
    ],
)
def test_a_message_that_is_no_request_is_refused(text):
    with pytest.raises(errors.InvalidInput):
        wire.decode_request(text)
