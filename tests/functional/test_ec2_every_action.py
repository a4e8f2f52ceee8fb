"""Every action of the EC2 API: who may not, what is missing, and parameters and bodies of every kind."""

import datetime
import urllib.parse
from collections.abc import Iterator
from typing import Any
from unittest import mock

import botocore.auth
import hypothesis
import pytest
import requests
from hypothesis import strategies

from nova_lite.api.ec2.actions import ACTIONS, ALL
from nova_lite.api.ec2.call import Action
from nova_lite.api.ec2.query import Flag, Many, Number, Parameter, Struct
from nova_lite.cmd import wiring
from nova_lite.core.context import system_context
from nova_lite.core.identity import Actor, NewProject, NewUser, Scope, ScopeKind
from tests.cloud import Cloud, running
from tests.ec2 import Ec2, code_of

ROWS = list(ACTIONS.values())
NEEDY = [row for row in ROWS if any(parameter.required for parameter in row.parameters)]
GUARDED = [row for row in ROWS if row.check != ALL]

HOSTILE = ("", "-1", "99999999999999999999", "abc", "(", "*", "'; --", "\N{SNOWMAN}", "i-0123456789abcdef0", "x" * 3000,
           "true", "sg-00000000", "\x00", "\ud7ff", "ami-", "0.0.0.0/0", "a.b", "%")  # fmt: skip


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: Any) -> Iterator[Cloud]:
    """A cloud of this module's own, for what is made here has odd names."""
    folder = tmp_path_factory.mktemp("odd")
    with running(folder, f"sqlite:///{folder}/nova.sqlite", "--lockout_attempts=0") as cloud:
        cloud.image()
        yield cloud


@pytest.fixture(scope="module")
def ec2(shared_cloud: Cloud) -> Ec2:
    return Ec2(shared_cloud)


def _name(row: object) -> str:
    return row.name if isinstance(row, Action) else str(row)


every = pytest.mark.parametrize("row", ROWS, ids=_name)


@every
def test_who_signs_wrongly_or_not_at_all_is_refused(ec2: Ec2, row: Action) -> None:
    unsigned = ec2.ask(row.name, sign=False)
    assert (unsigned.status_code, code_of(unsigned)) == (403, "MissingAuthenticationToken")
    wrong = ec2.ask(row.name, secret="0" * 32)
    assert (wrong.status_code, code_of(wrong)) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("row", NEEDY, ids=_name)
def test_what_must_be_sent_is_asked_for(ec2: Ec2, row: Action) -> None:
    answer = ec2.ask(row.name)

    assert (answer.status_code, code_of(answer)) == (400, "MissingParameter")


@every
def test_a_parameter_that_there_is_not_is_refused(ec2: Ec2, row: Action) -> None:
    answer = ec2.ask(row.name, {"Surprise": "1"})

    assert (answer.status_code, code_of(answer)) == (400, "UnknownParameter")


@pytest.mark.parametrize("row", GUARDED, ids=_name)
def test_who_may_only_look_is_refused(shared_cloud: Cloud, reader: Ec2, row: Action) -> None:
    answer = reader.ask(row.name, _likely(row))

    assert (answer.status_code, code_of(answer)) == (403, "UnauthorizedOperation")


@every
def test_a_dry_run_says_whether_it_would_have_gone_well_and_does_nothing(ec2: Ec2, row: Action) -> None:
    answer = ec2.ask(row.name, _likely(row) | {"DryRun": "true"})

    assert (answer.status_code, code_of(answer)) == (412, "DryRunOperation")


@every
def test_no_value_of_a_parameter_is_the_servers_fault(ec2: Ec2, row: Action) -> None:
    for number, value in enumerate(HOSTILE):
        sent = _likely(row)
        names = [*sent, *_names(row.parameters)] or ["Filter.1.Name"]
        sent[names[number % len(names)]] = value

        answer = ec2.ask(row.name, sent)

        assert answer.status_code < 500, (sent, answer.text)
        code_of(answer)


@hypothesis.settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
@hypothesis.given(data=strategies.data())
def test_odd_parameters_are_never_the_servers_fault(ec2: Ec2, data: Any) -> None:
    row = data.draw(strategies.sampled_from(ROWS))
    names = strategies.sampled_from(_names(row.parameters) or ["Filter.1.Name"])
    values = strategies.one_of(strategies.text(max_size=40), strategies.sampled_from(HOSTILE))
    sent = _likely(row) | data.draw(strategies.dictionaries(names, values, max_size=5))
    # What cannot be written as UTF-8 no client sends; NUL and the like it does.
    sent = {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}

    answer = ec2.ask(row.name, sent)

    assert answer.status_code < 500, (row.name, sent, answer.text)
    code_of(answer)


@pytest.mark.parametrize(
    ("method", "path", "body", "code"),
    [
        ("PUT", "/", b"", "InvalidRequest"),
        ("DELETE", "/services/Cloud", b"", "InvalidRequest"),
        ("GET", "/elsewhere", b"", "InvalidRequest"),
        ("GET", "/?Action=%ff", b"", "InvalidParameterValue"),
        ("POST", "/", b"\xff\xfe", "MalformedQueryString"),
        ("POST", "/", b"Action=%ff", "MalformedQueryString"),
        ("POST", "/", b"&" * 50_000, "MalformedQueryString"),
        ("POST", "/", b"a=1&" * 20_000, "MalformedQueryString"),
        ("POST", "/", b'{"Action": "DescribeInstances"}', "MissingAuthenticationToken"),
        ("POST", "/services/Cloud/", b"", "MissingAuthenticationToken"),
        ("POST", "/", b"Action=" + b"x" * 300_000, "RequestEntityTooLarge"),
    ],
)
def test_odd_requests_are_refused(ec2: Ec2, method: str, path: str, body: bytes, code: str) -> None:
    answer = requests.request(method, ec2.cloud.url("ec2", path), data=body, timeout=20)

    assert 400 <= answer.status_code < 500
    assert code_of(answer) == code


def test_a_request_without_and_with_an_unknown_action_is_refused(ec2: Ec2) -> None:
    unknown = ec2.ask("DescribeDreams")
    assert (unknown.status_code, code_of(unknown)) == (400, "InvalidAction")
    assert code_of(ec2.ask("")) == "MissingParameter"


def test_what_was_signed_too_long_ago_or_too_early_is_refused(ec2: Ec2) -> None:
    for minutes in (-6, 6):
        shifted = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
        with mock.patch("botocore.auth.get_current_datetime", return_value=shifted.replace(tzinfo=None)):
            answer = ec2.ask("DescribeRegions")
        assert (answer.status_code, code_of(answer)) == (400, "RequestExpired"), answer.text
        with mock.patch("botocore.auth.time.gmtime", return_value=shifted.timetuple()):
            old = ec2.ask("DescribeRegions", signer=botocore.auth.SigV2Auth)
        assert (old.status_code, code_of(old)) == (400, "RequestExpired"), old.text


@pytest.mark.parametrize("signer", [botocore.auth.SigV4Auth, botocore.auth.SigV4QueryAuth, botocore.auth.SigV2Auth])
def test_signatures_of_every_kind_are_understood(ec2: Ec2, signer: type) -> None:
    method = "GET" if signer is botocore.auth.SigV4QueryAuth else "POST"
    answer = ec2.ask("DescribeRegions", signer=signer, method=method)

    assert answer.status_code == 200, answer.text
    assert code_of(ec2.ask("DescribeRegions", signer=signer, method=method, secret="no")) == "SignatureDoesNotMatch"


def test_a_get_request_is_signed_whole(ec2: Ec2) -> None:
    answer = ec2.ask("DescribeRegions", method="GET")
    assert answer.status_code == 200, answer.text
    changed = answer.request.url.replace("DescribeRegions", "DescribeInstances")
    refused = requests.get(changed, headers=answer.request.headers, timeout=20)
    assert code_of(refused) == "SignatureDoesNotMatch"


def test_a_parameter_that_is_added_to_a_signed_request_breaks_it(ec2: Ec2) -> None:
    answer = ec2.ask("DescribeRegions")
    more = f"{answer.request.url}?RegionName.1=elsewhere"
    refused = requests.post(more, data=answer.request.body, headers=answer.request.headers, timeout=20)
    assert code_of(refused) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("prefix", ["Action=DescribeInstances", "Timestamp=2010-01-01T00%3A00%3A00Z"])
def test_nobody_slips_another_value_before_one_that_version_2_signed(ec2: Ec2, prefix: str) -> None:
    answer = ec2.ask("DescribeRegions", signer=botocore.auth.SigV2Auth)
    body = answer.request.body
    changed = f"{prefix}&{body if isinstance(body, str) else body.decode()}"
    sent = {"Content-Type": "application/x-www-form-urlencoded"}

    refused = requests.post(answer.request.url, data=changed, headers=sent, timeout=20)

    assert (refused.status_code, code_of(refused)) == (400, "InvalidParameterCombination"), refused.text


@pytest.mark.parametrize(
    ("moment", "expires", "code"),
    [
        ("20260101T000000Z", "000000001" + "9" * 20, "InvalidParameterValue"),
        ("20260101T000000Z", "604801", "InvalidParameterValue"),
        ("99991231T235959Z", "604800", "RequestExpired"),
    ],
)
def test_a_presigned_request_holds_no_longer_than_a_week(ec2: Ec2, moment: str, expires: str, code: str) -> None:
    query = urllib.parse.urlencode(
        {
            "Action": "DescribeRegions", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-SignedHeaders": "host",
            "X-Amz-Credential": f"{ec2.keys.access}/{moment[:8]}/a/ec2/aws4_request", "X-Amz-Signature": "x",
            "X-Amz-Date": moment, "X-Amz-Expires": expires,
        }
    )  # fmt: skip
    answer = requests.get(f"{ec2.cloud.url('ec2', '/')}?{query}", timeout=20)

    assert (answer.status_code, code_of(answer)) == (400, code), answer.text


def test_signatures_of_version_1_are_off(ec2: Ec2) -> None:
    data = {"Action": "DescribeRegions", "AWSAccessKeyId": ec2.keys.access, "SignatureVersion": "1", "Signature": "x",
            "Timestamp": datetime.datetime.now(datetime.UTC).isoformat(), "Version": "2010-08-31"}  # fmt: skip
    answer = requests.post(ec2.url, data=urllib.parse.urlencode(data), timeout=20)

    assert (answer.status_code, code_of(answer)) == (400, "InvalidRequest")


def test_an_unknown_key_and_one_of_a_project_without_a_role_there_are_refused(ec2: Ec2) -> None:
    for access in ("unknown", f"{ec2.keys.access}:other", f"{ec2.keys.access}:nowhere"):
        answer = ec2.ask("DescribeRegions", access=access)
        assert (answer.status_code, code_of(answer)) == (401, "AuthFailure")
    assert ec2.ask("DescribeRegions", access=f"{ec2.keys.access}:demo").status_code == 200


def test_every_answer_has_a_request_id_and_echoes_the_version(ec2: Ec2) -> None:
    answer = ec2.ask("DescribeRegions", {"Version": "2014-10-01"})

    assert answer.headers["x-openstack-request-id"] in answer.text
    assert 'xmlns="http://ec2.amazonaws.com/doc/2014-10-01/"' in answer.text
    refused = ec2.ask("DescribeDreams")
    assert f"<RequestID>{refused.headers['x-openstack-request-id']}</RequestID>" in refused.text


@pytest.fixture(scope="module")
def reader(shared_cloud: Cloud) -> Ec2:
    with wiring.desk(shared_cloud.conf) as (_, cloud):
        context, identity = system_context(), cloud.identity
        project = identity.create_project(context, NewProject("reader"))
        user = identity.create_user(context, NewUser("reader", "reader-secret"))
        scope = Scope(ScopeKind.PROJECT, project.id)
        identity.grant_role(context, Actor(user.id), identity.find_role("reader").id, scope)
    return Ec2(shared_cloud, "reader")


def _likely(row: Action) -> dict[str, str]:
    """Return what an action must be sent, as far as the schema says it."""
    return {
        name: value
        for parameter in row.parameters
        if parameter.required
        for name, value in _values(parameter, parameter.name).items()
    }


def _values(parameter: Parameter, name: str) -> dict[str, str]:
    if isinstance(parameter, Many):
        return _values(parameter._item, f"{name}.1")
    if isinstance(parameter, Struct):
        wanted = [member for member in parameter._members if member.required] or parameter._members[:1]
        return {
            inner: value
            for member in wanted
            for inner, value in _values(member, f"{name}.{member.name}").items()
        }
    if isinstance(parameter, Number):
        return {name: "1"}
    if isinstance(parameter, Flag):
        return {name: "true"}
    words = getattr(parameter, "_words", ())
    return {name: words[0] if words else "aGk="}


def _names(parameters: Any, prefix: str = "") -> list[str]:
    found: list[str] = []
    for parameter in parameters:
        name = prefix + parameter.name
        inner = parameter
        while isinstance(inner, Many):
            inner, name = inner._item, f"{name}.1"
        if isinstance(inner, Struct):
            found += _names(inner._members, f"{name}.")
        else:
            found.append(name)
    return found
