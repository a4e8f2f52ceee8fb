"""Finding the row of a request."""

from nova_lite.api.call import Call, Microversion, Reply
from nova_lite.api.route import Route, RouteTable


def nothing(call: Call) -> Reply:
    return Reply()


TABLE = RouteTable(
    [
        Route("GET", "/", nothing, "public"),
        Route("GET", "/things", nothing, "list"),
        Route("GET", "/things/detail", nothing, "detail"),
        Route("GET", "/things/{thing_id}", nothing, "show"),
        Route("DELETE", "/things/{thing_id}", nothing, "delete"),
        Route("GET", "/tree/{rest:path}", nothing, "tree"),
    ]
)


def policies(method: str, path: str) -> list[str] | None:
    match = TABLE.find(method, path)
    return None if match is None else [row.policy for row in match.routes]


def test_an_exact_path_wins_over_a_variable() -> None:
    assert policies("GET", "/things/detail") == ["detail"]


def test_a_variable_takes_one_segment_only() -> None:
    match = TABLE.find("GET", "/things/42")
    assert match is not None
    assert match.params == {"thing_id": "42"}
    assert TABLE.find("GET", "/things/42/more") is None


def test_a_path_variable_takes_the_rest() -> None:
    match = TABLE.find("GET", "/tree/a/b/c")
    assert match is not None
    assert match.params == {"rest": "a/b/c"}


def test_a_trailing_slash_does_not_matter() -> None:
    assert policies("GET", "/things/") == ["list"]
    assert policies("GET", "/") == ["public"]


def test_an_unknown_path_is_told_from_a_method_that_is_not_allowed() -> None:
    assert TABLE.find("GET", "/nowhere") is None
    assert policies("PATCH", "/things") == []


def test_head_is_served_where_get_is() -> None:
    assert policies("HEAD", "/things") == ["list"]


def test_microversions_compare_by_number_not_by_text() -> None:
    assert Microversion.parse("2.9") < Microversion.parse("2.10")
