"""The settings of a network host, taken from flags."""

import pytest

from nova_lite.conf import load
from nova_lite.core.errors import ConfigurationError
from nova_lite.network.settings import NetworkSettings


def test_ranges_that_are_not_translated_are_those_of_the_flag() -> None:
    conf = load(["--dmz_cidr=10.128.0.1/24,192.0.2.7"], prog="nova-network")
    assert NetworkSettings.from_flags(conf).untranslated == ("10.128.0.0/24", "192.0.2.7/32")


@pytest.mark.parametrize("text", ["fd00::/8", "10.0.0.0/33", "} ; flush ruleset"])
def test_what_is_no_range_stops_the_daemon(text: str) -> None:
    conf = load([f"--dmz_cidr={text}"], prog="nova-network")
    with pytest.raises(ConfigurationError, match="dmz_cidr"):
        NetworkSettings.from_flags(conf)
