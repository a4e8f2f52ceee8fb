"""Documents that a JSON Schema allows, for hypothesis: as much of the language as our schemas use."""

from collections.abc import Mapping
from typing import Any

import hypothesis
from hypothesis import strategies
from hypothesis.strategies import SearchStrategy

Schema = Mapping[str, Any]
Documents = SearchStrategy[Any]

FORMATS: dict[str, Documents] = {
    "ipv4": strategies.ip_addresses(v=4).map(str),
    "ipv6": strategies.ip_addresses(v=6).map(str),
    "uuid": strategies.uuids().map(str),
    "date-time": strategies.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    "uri": strategies.just("http://192.0.2.1/path"),
    "email": strategies.emails(),
}
ANYTHING = strategies.one_of(
    strategies.none(), strategies.booleans(), strategies.integers(), strategies.text(max_size=20)
)


_drawn: dict[tuple[int, int], list[Any]] = {}


def drawn(schema: Schema, count: int = 1) -> list[Any]:
    """Return at most ``count`` documents that ``schema`` allows: the same each time, for drawing takes long."""
    found = _drawn.setdefault((id(schema), count), [])
    if not found:

        @hypothesis.settings(
            max_examples=count, derandomize=True, deadline=None, database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        )  # fmt: skip
        @hypothesis.given(document=documents(schema))
        def draw(document: Any) -> None:
            found.append(document)

        draw()
    return found


def documents(schema: Schema | bool) -> Documents:
    """Return a strategy for what ``schema`` allows."""
    if isinstance(schema, bool):
        return ANYTHING
    if "enum" in schema:
        return strategies.sampled_from(schema["enum"])
    if "const" in schema:
        return strategies.just(schema["const"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            shared = {name: value for name, value in schema.items() if name != word}
            return strategies.one_of(*(documents({**shared, **choice}) for choice in schema[word]))
    kinds = schema.get("type")
    if kinds is None:
        return _object(schema) if "properties" in schema else ANYTHING
    return strategies.one_of(
        *(KINDS[kind](schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))
    )


def _string(schema: Schema) -> Documents:
    if "format" in schema:
        return FORMATS[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if "pattern" in schema:
        found = strategies.from_regex(schema["pattern"])
        return found.filter(lambda text: least <= len(text) <= (most or len(text)))
    return strategies.text(min_size=least, max_size=most if most is None else min(most, least + 300))


def _number(schema: Schema) -> Documents:
    return strategies.integers(schema.get("minimum"), schema.get("maximum"))


def _array(schema: Schema) -> Documents:
    return strategies.lists(
        documents(schema.get("items", {})),
        min_size=schema.get("minItems", 0),
        max_size=schema.get("maxItems", 3),
    )


def _object(schema: Schema) -> Documents:
    known = {name: documents(inner) for name, inner in schema.get("properties", {}).items()}
    needed = {name: known.get(name, ANYTHING) for name in schema.get("required", ())}
    named = strategies.fixed_dictionaries(
        needed, optional={name: inner for name, inner in known.items() if name not in needed}
    )
    if schema.get("maxProperties") == 0:
        return strategies.just({})
    least, most = schema.get("minProperties", 0), schema.get("maxProperties", 3)
    free = [
        strategies.dictionaries(
            strategies.from_regex(pattern), documents(inner), min_size=least, max_size=most
        )
        for pattern, inner in schema.get("patternProperties", {}).items()
    ]
    other = schema.get("additionalProperties", not known and not free)
    if other and not free:
        inner = documents(other) if isinstance(other, Mapping) else ANYTHING
        free = [strategies.dictionaries(strategies.text(max_size=20), inner, min_size=least, max_size=most)]
    for one in free:
        named = strategies.tuples(one, named).map(lambda pair: pair[0] | pair[1])
    return named


KINDS = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _number,
    "number": _number,
    "boolean": lambda _schema: strategies.booleans(),
    "null": lambda _schema: strategies.none(),
}
