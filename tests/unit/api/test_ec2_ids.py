"""What an id of the EC2 API stands for."""

import pytest

from nova_lite.api.ec2 import ids
from nova_lite.api.ec2.errors import Ec2Error
from nova_lite.core.ec2_ids import ec2_id, start_of_uuid

ALIKE = ("0fc4d12d-6d1d-4d50-a00b-9935b6e562b6", "0fc4d12d-6d1d-4d50-acff-1111b6e562b6")
"""UUIDs that differ in what an id does not show of them."""
OTHER = "1fc4d12d-6d1d-4d50-a00b-9935b6e562b6"


def identify(uuid: str) -> str:
    return ec2_id("sg", uuid)


def pick(uuids: tuple[str, ...], *wanted: str) -> list[str]:
    return ids.pick(uuids, wanted, identify, "InvalidGroup", "security group")


def test_an_id_that_two_have_stands_for_neither() -> None:
    with pytest.raises(Ec2Error, match="more than one") as raised:
        pick((*ALIKE, OTHER), identify(ALIKE[0]))

    assert raised.value.code == "InvalidID"
    assert pick((*ALIKE, OTHER), identify(OTHER), identify(OTHER)) == [OTHER], "others are found as ever"


def test_an_id_of_nothing_is_said_with_its_code() -> None:
    with pytest.raises(Ec2Error, match="does not exist") as raised:
        pick(ALIKE, identify(OTHER))

    assert raised.value.code == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    "identifier", ["i-0fc4d12d6d1d4d50", "i-0fc4d12d6d1d4d50A", "i-0fc4d12d6d1d4d50a\n", "i-", "sg-0fc4d12d"]
)
def test_what_is_no_id_is_told_from_what_is_nobodys(identifier: str) -> None:
    assert start_of_uuid(identifier, "i") is None


def test_an_id_is_how_a_uuid_begins() -> None:
    assert ALIKE[0].startswith(str(start_of_uuid(ec2_id("i", ALIKE[0]), "i")))
    assert start_of_uuid("i-0fc4d12d", "i") == ""
