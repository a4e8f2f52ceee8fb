"""What every driver of a name server promises, with the real servers; and that names really resolve."""

import dataclasses
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dns.exception
import dns.resolver
import ldap3
import pytest

from nova_lite.conf import load
from nova_lite.core.errors import ConfigurationError, DriverError
from nova_lite.drivers.dns.base import DnsDriver
from nova_lite.drivers.dns.fake import FakeDns
from nova_lite.drivers.dns.files import FileDns
from nova_lite.drivers.dns.ldap import LdapDns
from nova_lite.drivers.dns.powerdns import PowerDns
from tests.cloud import wait_for
from tools.services import PowerDnsServer, Slapd, free_port

DOMAIN = "guests.example.org"
NOBODY = frozenset[str]()


@dataclasses.dataclass
class Server:
    """A driver, and the port at which its names are answered, 0 for nowhere."""

    driver: DnsDriver
    port: int = 0

    def resolve(self, name: str) -> list[str] | None:
        """Return the addresses of a name, None while nobody answers."""
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        try:
            return [str(answer) for answer in resolver.resolve(f"{name}.{DOMAIN}.", "A", lifetime=2)]
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.resolver.NoNameservers):
            return []
        except dns.exception.Timeout:
            return None


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with Slapd(tmp_path_factory.mktemp("slapd")) as slapd:
        yield slapd


@pytest.fixture(scope="module")
def powerdns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDnsServer]:
    with PowerDnsServer(tmp_path_factory.mktemp("pdns")) as server:
        yield server


def ldap_flags(slapd: Slapd) -> list[str]:
    return [
        f"--ldap_dns_url={slapd.url}", f"--ldap_dns_user={slapd.user}", "--ldap_dns_password=secret",
        f"--ldap_dns_base_dn={slapd.base_dn}",
    ]  # fmt: skip


@pytest.fixture(params=["fake", "file", "ldap", "powerdns"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "fake":
        server = Server(FakeDns.from_flags(load([], prog="nova-network")))
    elif request.param == "file":
        flags = [f"--dns_hosts_path={tmp_path}/dns"]
        server = Server(FileDns.from_flags(load(flags, prog="nova-network")), free_port())
    elif request.param == "ldap":
        slapd = request.getfixturevalue("slapd")
        server = Server(LdapDns.from_flags(load(ldap_flags(slapd), prog="nova-network")))
    else:
        real = request.getfixturevalue("powerdns")
        flags = [f"--powerdns_url={real.url}", "--powerdns_api_key=secret"]
        server = Server(PowerDns.from_flags(load(flags, prog="nova-network")), real.port)
    server.driver.start()
    if request.param != "file":
        yield server
        server.driver.delete_domain(DOMAIN)
        return
    program = shutil.which("dnsmasq", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "dnsmasq"
    answering = subprocess.Popen(
        [program, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=", "--bind-interfaces",
         "--listen-address=127.0.0.1", f"--port={server.port}", f"--hostsdir={tmp_path}/dns", "--pid-file=",
         "--user=root"],
    )  # fmt: skip
    yield server
    answering.terminate()
    answering.wait(10)


def test_a_domain_is_made_filled_changed_and_removed(server: Server) -> None:
    driver = server.driver
    assert driver.entries(DOMAIN) is None
    driver.create_domain(DOMAIN)
    driver.create_domain(DOMAIN)
    assert driver.entries(DOMAIN) == {}

    driver.change(DOMAIN, {"web": "10.0.0.3", "mail": "10.0.0.4"}, NOBODY)
    assert driver.entries(DOMAIN) == {"web": "10.0.0.3", "mail": "10.0.0.4"}
    driver.change(DOMAIN, {"web": "10.0.0.9", "new": "10.0.0.5"}, frozenset({"mail", "never-was"}))
    assert driver.entries(DOMAIN) == {"web": "10.0.0.9", "new": "10.0.0.5"}
    if server.port:
        assert wait_for(lambda: server.resolve("web") == ["10.0.0.9"])
        assert wait_for(lambda: server.resolve("mail") == [])

    driver.delete_domain(DOMAIN)
    driver.delete_domain(DOMAIN)
    assert driver.entries(DOMAIN) is None
    if server.port:
        assert wait_for(lambda: server.resolve("web") == [])


def test_many_names_are_found_again(server: Server) -> None:
    wanted = {f"vm-{number}": f"10.0.{number // 250}.{number % 250 + 1}" for number in range(600)}
    server.driver.create_domain(DOMAIN)
    server.driver.change(DOMAIN, wanted, NOBODY)
    assert server.driver.entries(DOMAIN) == wanted
    if server.port:
        assert wait_for(lambda: server.resolve("vm-599") == [wanted["vm-599"]])


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        (FileDns, ["--dns_hosts_path=/proc/nowhere"]),
        (LdapDns, ["--ldap_dns_base_dn=nonsense"]),
        (LdapDns, ["--ldap_dns_servers="]),
        (PowerDns, ["--powerdns_url=nonsense", "--powerdns_api_key=x"]),
        (PowerDns, ["--powerdns_api_key="]),
    ],
)  # fmt: skip
def test_mistakes_in_the_flags_stop_the_start(kind: type[DnsDriver], flags: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        kind.from_flags(load(flags, prog="nova-network")).start()


def test_a_server_that_is_away_or_refuses_is_said_in_one_sentence(
    slapd: Slapd, powerdns: PowerDnsServer
) -> None:
    nowhere = free_port()
    for kind, flags in (
        (LdapDns, [*ldap_flags(slapd), "--ldap_dns_password=wrong"]),
        (LdapDns, [*ldap_flags(slapd), f"--ldap_dns_url=ldap://127.0.0.1:{nowhere}"]),
        (PowerDns, [f"--powerdns_url={powerdns.url}", "--powerdns_api_key=wrong"]),
        (PowerDns, [f"--powerdns_url=http://127.0.0.1:{nowhere}", "--powerdns_api_key=wrong"]),
    ):
        driver = kind.from_flags(load(flags, prog="nova-network"))
        driver.start()
        with pytest.raises(DriverError, match=r"\.$"):
            driver.entries(DOMAIN)


def test_the_directory_has_what_name_servers_read(slapd: Slapd) -> None:
    driver = LdapDns.from_flags(load(ldap_flags(slapd), prog="nova-network"))
    driver.create_domain(DOMAIN)
    driver.change(DOMAIN, {"web": "10.0.0.3"}, NOBODY)
    with ldap3.Connection(slapd.url, auto_bind=True) as connection:
        connection.search(slapd.base_dn, f"(associatedDomain=web.{DOMAIN})", attributes=["aRecord"])
        assert [list(entry.aRecord) for entry in connection.entries] == [["10.0.0.3"]]
        connection.search(slapd.base_dn, f"(associatedDomain={DOMAIN})", attributes=["sOARecord"])
        assert str(connection.entries[0].sOARecord).startswith("dns.example.org hostmaster@example.org ")
    driver.delete_domain(DOMAIN)
