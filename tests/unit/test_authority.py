"""Certificate authorities: what they sign verifies, and their keys are nobody else's."""

import concurrent.futures
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from nova_lite.cert.authority import Authority, parse_subject
from nova_lite.core import clock
from nova_lite.core.certificate import CertificateRecord
from nova_lite.core.errors import ConfigurationError, DriverError, InvalidInput

ROOT = parse_subject("/C=US/O=OpenStack/CN=root")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("CA"))
    authority.make(ROOT)
    return authority


@pytest.fixture(scope="module")
def project(root: Authority, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    authority = Authority(tmp_path_factory.mktemp("project"), root)
    authority.make(parse_subject("/CN=project"))
    return authority


def test_what_a_project_signs_leads_to_the_root(root: Authority, project: Authority) -> None:
    issued, serial, _ = project.issue(parse_subject("/O=OpenStack/CN=demo"), 30)
    certificate = x509.load_pem_x509_certificate(issued.certificate.encode())

    certificate.verify_directly_issued_by(project.certificate())
    project.certificate().verify_directly_issued_by(root.certificate())
    assert (certificate.serial_number, issued.private_key[:31]) == (serial, "-----BEGIN RSA PRIVATE KEY-----")
    assert project.chain().count("BEGIN CERTIFICATE") == 2
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_key_is_for_its_owner_alone_and_is_made_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "CA")
    authority.make(ROOT)
    key = tmp_path / "CA" / "private" / "cakey.pem"
    before = key.read_bytes()
    authority.make(ROOT)

    assert key.read_bytes() == before
    assert (stat.S_IMODE(key.stat().st_mode), stat.S_IMODE(key.parent.stat().st_mode)) == (0o600, 0o700)


def test_the_list_of_what_is_revoked_is_signed(root: Authority) -> None:
    _, serial, expires_at = root.issue(parse_subject("/CN=demo"), 30)
    record = CertificateRecord(f"{serial:x}", "", "user", "project", clock.now(), expires_at, clock.now())

    crl = x509.load_pem_x509_crl(root.crl([record], 7).encode())

    assert crl.is_signature_valid(root.certificate().public_key())  # type: ignore[arg-type]
    assert [one.serial_number for one in crl] == [serial]


def test_only_what_was_encrypted_for_it_is_read(root: Authority, project: Authority) -> None:
    encrypted = root.certificate().public_key().encrypt(b"secret", padding.PKCS1v15())  # type: ignore[union-attr]

    assert root.decrypt(encrypted) == b"secret"
    with pytest.raises(InvalidInput):
        root.decrypt(b"nonsense")
    assert project.key() != root.key()


@pytest.mark.parametrize("name", ["", "/X=1", "CN", "/C=much too long"])
def test_a_name_that_is_none_stops_the_daemon(name: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_subject(name)


def test_an_authority_that_is_damaged_is_said_to_be(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with pytest.raises(DriverError):
        authority.certificate()
    (tmp_path / "cacert.pem").write_text("nonsense")
    with pytest.raises(DriverError):
        authority.chain()


def test_many_at_once_get_the_list_of_what_is_revoked(root: Authority) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        lists = [future.result() for future in [pool.submit(root.crl, [], 1) for _ in range(40)]]

    assert all(text.startswith("-----BEGIN X509 CRL-----") for text in lists)
