"""The table of the EC2 API's actions: each has its rule, a schema, an answer and a sentence, and none is forgotten."""

import inspect
import re
import xml.etree.ElementTree as ElementTree

import botocore.session
import pytest

from nova_lite.api.ec2 import errors, filters, query, xml
from nova_lite.api.ec2.actions import ACTIONS, RULES
from nova_lite.api.ec2.call import Action
from nova_lite.api.ec2.status import IMAGE_STATES, OF_TASK, OF_VM_STATE
from nova_lite.core import errors as domain
from nova_lite.core.image import ImageStatus
from nova_lite.core.instance_states import TaskState, VmState

ROWS = list(ACTIONS.values())
OLD = {"DescribeInstancesV6", "UpdateImage"}
"""Actions of clouds of old that Amazon's clients do not know."""

OF_OLD = {
    "UserGroup", "UserId", "OperationType", "Value", "SubnetId", "PrivateIpAddress", "Attribute", "IpProtocol",
    "FromPort", "ToPort", "CidrIp", "SourceSecurityGroupName", "SourceSecurityGroupOwnerId", "GroupName",
    "Description", "SecurityGroupRuleId",
}  # fmt: skip
"""Parameters that only some actions of today have, and tools of old sent."""

MODELS = {
    service: botocore.session.get_session().get_service_model(service) for service in ("ec2", "sts")
}


def _name(row: object) -> str:
    return row.name if isinstance(row, Action) else str(row)


each = pytest.mark.parametrize("row", ROWS, ids=_name)
modern = pytest.mark.parametrize("row", [row for row in ROWS if row.name not in OLD], ids=_name)


@each
def test_every_action_has_a_rule_a_handler_with_a_sentence_and_a_description(row: Action) -> None:
    assert [rule.name for rule in RULES].count(row.policy) == 1
    assert row.check.strip() and row.doc.strip().endswith(".")
    assert inspect.getdoc(row.handler)
    assert isinstance(row.answer, xml.Shape)


@each
def test_no_action_has_a_parameter_twice(row: Action) -> None:
    names = [parameter.name for parameter in row.parameters]

    assert len(names) == len(set(names))
    assert "DryRun" not in names


@modern
def test_every_parameter_is_one_that_clients_send_or_that_tools_of_old_sent(row: Action) -> None:
    shape = MODELS[row.service].operation_model(row.name).input_shape
    members = shape.members if shape is not None else {}
    sent = {_wire_name(name, member) for name, member in members.items()}

    assert {parameter.name for parameter in row.parameters} - sent - OF_OLD == set()


@modern
def test_every_parameter_that_clients_must_send_is_known(row: Action) -> None:
    shape = MODELS[row.service].operation_model(row.name).input_shape
    needed = {_wire_name(name, shape.members[name]) for name in shape.required_members} if shape else set()

    assert needed <= {parameter.name for parameter in row.parameters}


@each
def test_every_code_is_of_an_error_of_the_domain(row: Action) -> None:
    for kind, code in row.codes.items():
        assert issubclass(kind, domain.NovaError)
        assert re.fullmatch(r"[A-Z][A-Za-z]+(\.[A-Z][A-Za-z]+)?", code)


def test_every_error_of_the_domain_has_a_code() -> None:
    kinds = [
        kind
        for _, kind in inspect.getmembers(domain, inspect.isclass)
        if issubclass(kind, domain.NovaError) and kind is not domain.NovaError
    ]

    codes = {kind: errors.translated(kind(), {}).code for kind in kinds}

    ours = {kind.__name__ for kind, code in codes.items() if code == "InternalError"}
    assert ours <= {"Superseded", "DriverError", "ConfigurationError"}


def test_states_are_told_of_whatever_an_instance_or_image_is() -> None:
    assert set(OF_VM_STATE) == set(VmState)
    assert set(OF_TASK) <= set(TaskState)
    assert set(IMAGE_STATES) == set(ImageStatus)


def test_a_pattern_has_wildcards_that_can_be_escaped_and_nothing_else() -> None:
    def passes(pattern: str, text: str) -> bool:
        wanted = [{"Name": "name", "Value": [pattern]}]
        return filters.chosen([text], wanted, {"name": lambda thing: thing}) == [text]

    assert passes("web-*", "web-1") and passes("w?b", "web") and passes("*", "")
    assert passes(r"a\*b", "a*b") and not passes(r"a\*b", "axb")
    assert passes("[a]", "[a]") and not passes("[a]", "a")
    assert not passes("Web", "web")
    assert not passes("*a" * 40 + "b", "a" * 400)


def test_what_xml_cannot_hold_is_replaced() -> None:
    assert xml.escape("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;"
    assert xml.escape("a\x00b") == "a\N{REPLACEMENT CHARACTER}b"


def test_ends_of_lines_are_told_as_they_came() -> None:
    assert ElementTree.fromstring("<a>" + xml.escape("a\r\nb\rc") + "</a>").text == "a\r\nb\rc"


def test_lists_are_in_the_order_of_their_numbers_and_names_are_text() -> None:
    sent = [(f"KeyName.{number}", f"{number:04}") for number in (10, 2, 1)]

    found = query.read_members([query.ids("KeyName")], query.tree(sent))

    assert found == {"KeyName": ["0001", "0002", "0010"]}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ([("A", "1"), ("A", "2")], "InvalidParameterCombination"),
        ([("A", "1"), ("A.1", "2")], "InvalidParameterCombination"),
        ([("A.1", "2"), ("A", "1")], "InvalidParameterCombination"),
        ([("A.1", "1"), ("Action", "Get"), ("Action", "Remove")], "InvalidParameterCombination"),
        ([("A.1", "1"), ("X-Amz-Signature", "a"), ("X-Amz-Signature", "b")], "InvalidParameterCombination"),
        ([("A.x", "2")], "UnknownParameter"),
        ([("B", "2")], "UnknownParameter"),
        ([("A.1.2", "2")], "InvalidParameter"),
        ([("A.1", "\x01")], "InvalidParameterValue"),
        ([], "MissingParameter"),
    ],
)
def test_parameters_that_cannot_be_are_refused_with_their_code(sent: list[tuple[str, str]], code: str) -> None:
    with pytest.raises(errors.Ec2Error) as refused:
        query.read_members([query.ids("A", required=True)], query.tree(sent))

    assert refused.value.code == code


def _wire_name(name: str, member: object) -> str:
    """Return how botocore's serializer of the ec2 protocol calls a parameter."""
    queried = member.serialization.get("queryName")  # type: ignore[attr-defined]
    if queried:
        return str(queried)
    located = str(member.serialization.get("name", name))  # type: ignore[attr-defined]
    return located[0].upper() + located[1:]
