"""A pipeline that limits how often a caller may ask."""

from pathlib import Path

import pytest

from nova_lite.api.middleware.rate_limits import read
from nova_lite.core.errors import ConfigurationError
from tests.cloud import running

SHIPPED = Path(__file__).parents[2] / "etc" / "nova_lite" / "api-paste.ini"
LIMITS = "(POST, */servers, ^/v2.1/servers, 2, DAY);(ANY, *changes-since*, .*changes-since.*, 1, MINUTE)"


def test_who_asks_too_often_is_refused_and_told_when_to_come_back(tmp_path: Path) -> None:
    factory = "nova_lite.api.middleware.rate_limits:filter_factory"
    paste = tmp_path / "api-paste.ini"
    paste.write_text(SHIPPED.read_text().replace(factory, f"{factory}\nlimits = {LIMITS}"))

    with running(tmp_path, f"sqlite:///{tmp_path}/nova.sqlite", f"--api_paste_config={paste}") as cloud:
        answers = [cloud.ask("POST", "/v2.1/servers", {"server": {}}) for _ in range(3)]
        rates = cloud.ask("GET", "/v2.1/limits").json()["limits"]["rate"]
        others = cloud.ask("POST", "/v2.1/servers", {"server": {}}, user="other")

    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 86400
    assert answers[2].json()["overLimit"]["code"] == 429
    assert others.status_code == 400
    assert [rate["uri"] for rate in rates] == ["*/servers", "*changes-since*"]
    (limit,) = rates[0]["limit"]
    assert (limit["verb"], limit["value"], limit["remaining"], limit["unit"]) == ("POST", 2, 0, "DAY")


@pytest.mark.parametrize(
    "text",
    ["POST", "(POST, a, b, 1)", "(POST, a, b, many, DAY)", "(GET, a, b, 1, YEAR)", "(GET, a, (, 1, DAY)"],
)
def test_limits_that_cannot_be_read_stop_the_daemon(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read(text)
