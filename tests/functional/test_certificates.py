"""Certificates through the compute API and nova-cert, and their revocation."""

import json
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from nova_lite.cmd import manage, wiring
from nova_lite.core.context import system_context
from nova_lite.core.errors import InvalidInput
from nova_lite.operations.cloud import Cloud as Operations
from tests.cloud import Cloud, running
from tests.ec2 import SESSION
from tests.functional.conftest import NewDatabase

ADMIN = system_context()


@pytest.fixture(scope="module", params=["", "--use_project_ca"], ids=["root", "projects"])
def cloud(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cloud]:
    flags = [request.param] if request.param else []
    with running(tmp_path_factory.mktemp("certificates"), new_database("sqlite"), *flags) as cloud:
        yield cloud


@pytest.fixture
def desk(cloud: Cloud) -> Iterator[Operations]:
    """The operations as nova-manage has them."""
    with wiring.desk(cloud.conf) as (_, operations):
        yield operations


def create(cloud: Cloud) -> Any:
    answer = cloud.ask("POST", "/v2.1/os-certificates", {})
    assert answer.status_code == 200, answer.text
    return answer.json()["certificate"]


def test_a_user_gets_a_certificate_that_the_root_leads_to(cloud: Cloud) -> None:
    made = create(cloud)
    root = cloud.ask("GET", "/v2.1/os-certificates/root").json()["certificate"]

    certificate = x509.load_pem_x509_certificate(made["data"].encode())
    authorities = x509.load_pem_x509_certificates(root["data"].encode())
    certificate.verify_directly_issued_by(authorities[0])
    assert root["private_key"] is None
    key = load_pem_private_key(made["private_key"].encode(), None)
    assert key.public_key() == certificate.public_key()
    assert cloud.ask("GET", "/v2.1/os-certificates/other").status_code == 404


def test_what_is_revoked_is_on_the_list(cloud: Cloud, desk: Operations) -> None:
    serial = x509.load_pem_x509_certificate(create(cloud)["data"].encode()).serial_number
    user = next(one for one in desk.identity.list_users(ADMIN) if one.name == "demo")
    project, cert = desk.identity.find_project("demo"), desk.certificates

    def listed() -> set[int]:
        crl = x509.load_pem_x509_crl(cert.crl(ADMIN, project.id).encode())
        return {one.serial_number for one in crl}

    assert serial not in listed()
    assert cert.revoke(ADMIN, user_id=user.id, project_id="another") == 0
    assert cert.revoke(ADMIN, user_id=user.id, project_id=project.id) >= 1
    assert serial in listed()
    second = x509.load_pem_x509_certificate(create(cloud)["data"].encode()).serial_number
    assert cert.revoke(ADMIN, user_id=user.id) == 1
    assert {serial, second} <= listed()
    create(cloud)
    assert cert.revoke(ADMIN, project_id=project.id) == 1
    with pytest.raises(InvalidInput):
        cert.revoke(ADMIN)


def test_what_is_encrypted_for_the_cloud_is_read(cloud: Cloud, desk: Operations) -> None:
    project = desk.identity.find_project("demo").id
    authority = x509.load_pem_x509_certificates(desk.certificates.root(ADMIN, project).encode())[0]
    encrypted = authority.public_key().encrypt(b"key", padding.PKCS1v15())  # type: ignore[union-attr]

    assert desk.certificates.decrypt(ADMIN, project, encrypted) == b"key"
    with pytest.raises(InvalidInput):
        desk.certificates.decrypt(ADMIN, project, b"short")


@pytest.fixture
def nova_manage(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run nova-manage on the cloud's database; returns (status, output, error)."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nova-manage", *cloud.flags, *words])
        status = manage.main()
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def variables(text: str) -> dict[str, str]:
    """Return what a shell makes of a file of variables."""
    printed = subprocess.run(
        ["bash", "-c", f"{text}\nenv"], capture_output=True, text=True, check=True
    ).stdout
    return dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)


def test_a_zip_file_has_all_that_a_user_needs(cloud: Cloud, nova_manage: Any, tmp_path: Path) -> None:
    file = tmp_path / "nova.zip"
    assert nova_manage("project", "zipfile", "demo", "demo", f"--file={file}")[0] == 0

    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name).decode() for name in archive.namelist()}
    assert set(content) == {"novarc", "pk.pem", "cert.pem", "cacert.pem"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    certificate = x509.load_pem_x509_certificate(content["cert.pem"].encode())
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificates(content["cacert.pem"].encode())[0])
    assert load_pem_private_key(content["pk.pem"].encode(), None).public_key() == certificate.public_key()
    assert {"EC2_PRIVATE_KEY", "EC2_CERT", "NOVA_CERT"} <= variables(content["novarc"]).keys()


def test_a_zip_file_has_variables_for_each_region(cloud: Cloud, nova_manage: Any, tmp_path: Path) -> None:
    file = tmp_path / "nova.zip"
    regions = "--region_list=north=ec2.north.example,south"
    assert nova_manage(regions, "project", "zipfile", "demo", "demo", f"--file={file}")[0] == 0

    with zipfile.ZipFile(file) as archive:
        found = {name: variables(archive.read(name).decode()) for name in archive.namelist() if name.endswith("rc")}
    assert set(found) == {"northrc", "southrc"}
    assert found["northrc"]["EC2_URL"].startswith("http://ec2.north.example:")
    assert found["southrc"]["AWS_DEFAULT_REGION"] == "south"


def test_the_variables_lead_to_the_object_store(cloud: Cloud, nova_manage: Any) -> None:
    status, printed, _ = nova_manage("project", "environment", "demo", "demo", "--file=-")
    found = variables(printed)

    assert (status, found["S3_URL"]) == (0, cloud.url("s3"))
    client = SESSION.client(
        "s3", endpoint_url=found["AWS_ENDPOINT_URL_S3"], aws_access_key_id=found["EC2_ACCESS_KEY"],
        aws_secret_access_key=found["EC2_SECRET_KEY"], region_name="us-east-1",
    )  # fmt: skip
    assert client.list_buckets()["Owner"]["DisplayName"] == "demo"
    assert nova_manage("project", "environment", "demo", "demo", "--file=-")[1] == printed


def test_keystone_is_told_of_everybody(cloud: Cloud, nova_manage: Any) -> None:
    told = json.loads(nova_manage("export", "auth")[1])

    assert {"admin", "demo", "other"} <= {user["name"] for user in told["users"]}
    demo = next(user["id"] for user in told["users"] if user["name"] == "demo")
    roles = {one["role"] for one in told["role_user_tenant_list"] if one["user_id"] == demo}
    assert roles == {"member", "reader"}
    assert "password" not in json.dumps(told).replace('"password": ""', "")


def test_an_operator_revokes_what_a_user_has(cloud: Cloud, nova_manage: Any) -> None:
    serial = x509.load_pem_x509_certificate(create(cloud)["data"].encode()).serial_number

    assert "certificates are revoked" in nova_manage("user", "revoke", "demo", "--project=demo")[1]
    crl = x509.load_pem_x509_crl(nova_manage("project", "crl", "demo")[1].encode())
    assert serial in {one.serial_number for one in crl}
    assert nova_manage("user", "revoke", "nobody")[0] == 1
    assert nova_manage("project", "zipfile", "nothing", "demo")[0] == 1
    assert "cannot write" in nova_manage("project", "environment", "demo", "demo", "--file=/nowhere/x")[2]
