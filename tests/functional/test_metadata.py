"""What the metadata service tells guests, and to whom."""

import base64
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from nova_lite import wsgi_server
from nova_lite.api.ec2 import places
from nova_lite.cmd import wiring
from nova_lite.conf import load
from nova_lite.core.context import system_context
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.errors import ConfigurationError
from nova_lite.operations.networks import NewNetwork
from nova_lite.operations.subnets import NewSubnet
from tests.cloud import Cloud, running, wait_for
from tests.ec2 import QUICK, Ec2

SCRIPT = b"#!/bin/sh\necho \xff\n"
TOKEN, TTL = "X-aws-ec2-metadata-token", "X-aws-ec2-metadata-token-ttl-seconds"
VENDOR = {"cloud-init": "#!/bin/sh\n", "nested": {"colour": "red"}}


@pytest.fixture(scope="module")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("metadata")
    (folder / "vendor.json").write_text(json.dumps(VENDOR))
    url = f"sqlite:///{folder}/nova.sqlite"
    flags = ["--use_forwarded_for", f"--vendordata_jsonfile_path={folder}/vendor.json"]
    with running(folder, url, *flags, "--trusted_proxies=127.0.0.0/8,192.0.2.7") as cloud:
        yield cloud


def address(cloud: Cloud, server_id: str, network: str = "private") -> str:
    fixed = [one for one in cloud.show(server_id)["addresses"][network] if one["OS-EXT-IPS:type"] == "fixed"]
    return str(fixed[0]["addr"])


def ask(cloud: Cloud, source: str, path: str, method: str = "GET", **more: Any) -> requests.Response:
    """Ask as a guest does that has the address ``source``."""
    headers = {"X-Forwarded-For": source} | more.pop("headers", {})
    return requests.request(method, cloud.url("metadata", path), headers=headers, timeout=10, **more)


def test_the_ec2_tree_tells_a_guest_of_its_disks(cloud: Cloud) -> None:
    flavor = {"name": "disks", "id": "disks", "ram": 64, "vcpus": 1, "disk": 1, "swap": 16}
    body = {"flavor": flavor | {"OS-FLV-EXT-DATA:ephemeral": 2}}
    assert cloud.ask("POST", "/v2.1/flavors", body, user="admin").status_code == 200
    disk = {"source_type": "blank", "destination_type": "local", "boot_index": -1, "volume_size": 1}
    source = address(cloud, cloud.boot(flavorRef="disks", block_device_mapping_v2=[disk, disk]))

    folder = "/latest/meta-data/block-device-mapping"
    names = ask(cloud, source, f"{folder}/").text.split()
    assert {name: ask(cloud, source, f"{folder}/{name}").text for name in names} == {
        "ami": "vda", "root": "/dev/vda", "ephemeral0": "vdb", "ephemeral1": "vdc", "swap": "vdd",
    }  # fmt: skip
    cloud.ask("DELETE", "/v2.1/flavors/disks", user="admin")


def test_the_ec2_tree_tells_a_guest_of_itself(cloud: Cloud) -> None:
    user_data = base64.b64encode(SCRIPT).decode()
    server_id = cloud.boot("web", metadata={"role": "front"}, user_data=user_data)
    source = address(cloud, server_id)

    def told(path: str) -> str:
        answer = ask(cloud, source, path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
        return answer.text

    assert {"1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest"} <= set(told("/").split())
    assert told("/latest/").split() == ["dynamic/", "meta-data/", "user-data"]
    assert told("/2009-04-04/meta-data") == told("/2021-03-23/meta-data/") == told("/latest/meta-data/")
    assert told("/1.0/meta-data/instance-id/").startswith("i-")
    assert (told("/latest/meta-data/local-ipv4"), told("/latest/meta-data/public-ipv4")) == (source, "")
    assert told("/latest/meta-data/hostname") == "web.novalocal"
    assert told("/latest/meta-data/placement/region") == "RegionOne"
    assert told("/latest/meta-data/block-device-mapping/").split() == ["ami", "root"]
    assert told("/latest/meta-data/tags/instance/") == "role"
    assert told("/latest/meta-data/security-groups") == "default"
    assert told("/latest/meta-data/ami-manifest-path") == "(unknown)"
    assert ask(cloud, source, "/latest/user-data").content == SCRIPT
    document = json.loads(told("/latest/dynamic/instance-identity/document"))
    assert (document["privateIp"], document["region"]) == (source, "RegionOne")
    mac = told("/latest/meta-data/mac")
    assert told("/latest/meta-data/network/interfaces/macs/") == f"{mac}/"
    interface = f"/latest/meta-data/network/interfaces/macs/{mac}"
    assert told(f"{interface}/local-ipv4s") == source
    network = cloud.ask("GET", "/v2.1/os-networks", version="2.1").json()["networks"][0]["id"]
    assert told(f"{interface}/subnet-id") == places.subnet_id(network, "nova")


@pytest.mark.parametrize(
    "path",
    [
        "/2029-01-01/meta-data/instance-id", "/latest/user-data", "/latest/meta-data/iam/security-credentials/",
        "/latest/meta-data/hostname/x", "/openstack/2011-01-01/meta_data.json", "/openstack/latest/user_data",
        "/openstack/latest/nothing", "/openstack/latest/meta_data.json/x", "/openstack/2012-08-10/network_data.json",
    ],
)  # fmt: skip
def test_what_there_is_not_is_said_in_plain_text(cloud: Cloud, path: str) -> None:
    answer = ask(cloud, address(cloud, cloud.boot()), path)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/plain; charset=UTF-8")


def test_each_version_of_the_openstack_tree_has_its_files(cloud: Cloud) -> None:
    server_id = cloud.boot(user_data=base64.b64encode(SCRIPT).decode())
    source = address(cloud, server_id)

    versions = ask(cloud, source, "/openstack").text.split("\n")
    assert (versions[0], versions[-2:]) == ("2012-08-10", ["2018-08-27", "latest"])
    assert ask(cloud, source, "/openstack/2012-08-10/").text.split() == ["meta_data.json", "user_data"]
    newest = [
        "meta_data.json", "network_data.json", "password", "user_data", "vendor_data.json", "vendor_data2.json",
    ]  # fmt: skip
    assert ask(cloud, source, "/openstack/2018-08-27").text.split() == newest
    document = ask(cloud, source, "/openstack/latest/meta_data.json").json()
    assert (document["uuid"], len(base64.b64decode(document["random_seed"]))) == (server_id, 512)
    assert ask(cloud, source, "/openstack/latest/user_data").content == SCRIPT
    assert ask(cloud, source, "/openstack/latest/vendor_data.json").json() == VENDOR
    assert ask(cloud, source, "/openstack/latest/vendor_data2.json").json() == {"static": VENDOR}


def test_a_guest_on_two_networks_is_the_same_from_both_addresses(cloud: Cloud) -> None:
    with wiring.desk(cloud.conf) as (_, operations):
        network = operations.networks.create(
            system_context(), NewNetwork("second", NewSubnet("10.7.0.0/24", dns=("192.0.2.53",)))
        )
        operations.floating_ips.create_range(system_context(), "198.51.100.9/32")
    try:
        server_id = cloud.boot()
        first, second = address(cloud, server_id), address(cloud, server_id, "second")
        assert ask(cloud, first, "/latest/meta-data/public-ipv4").text == ""
        assert cloud.ask("POST", "/v2.1/os-floating-ips", {"pool": "nova"}, version="2.1").status_code == 200
        wanted = {"addFloatingIp": {"address": "198.51.100.9", "fixed_address": second}}
        assert cloud.act(server_id, wanted, version="2.1").status_code == 202

        document = ask(cloud, second, "/openstack/latest/network_data.json").json()
        assert ask(cloud, first, "/openstack/latest/network_data.json").json() == document
        macs = [link["ethernet_mac_address"] for link in document["links"]]
        assert [one["type"] for one in document["networks"]] == ["ipv4_dhcp", "ipv4_dhcp"]
        assert [one["link"] for one in document["networks"]] == [link["id"] for link in document["links"]]
        assert document["networks"][1]["network_id"] == network.uuid
        assert {"type": "dns", "address": "192.0.2.53"} in document["services"]
        assert ask(cloud, first, "/latest/meta-data/public-ipv4").text == "198.51.100.9"
        assert ask(cloud, second, "/latest/meta-data/local-ipv4").text == second
        assert ask(cloud, second, "/latest/meta-data/mac").text == macs[1]
        path = f"/latest/meta-data/network/interfaces/macs/{macs[1]}/ipv4-associations/198.51.100.9"
        assert ask(cloud, first, path).text == second
        assert ask(cloud, "198.51.100.9", "/latest/meta-data/").status_code == 404
    finally:
        cloud.delete_all()
        with wiring.desk(cloud.conf) as (_, operations):
            operations.networks.delete(system_context(), network.uuid)


def test_an_address_that_changed_hands_tells_nothing_of_who_had_it(cloud: Cloud) -> None:
    secret = base64.b64encode(b"the secret of the first").decode()
    first = cloud.boot("first", user_data=secret)
    source = address(cloud, first)
    token = ask(cloud, source, "/latest/api/token", "PUT", headers={TTL: "60"}).text
    assert ask(cloud, source, "/latest/user-data").content == b"the secret of the first"
    assert ask(cloud, source, "/openstack/latest/password", "POST", data="c2VjcmV0").status_code == 200
    assert ask(cloud, source, "/openstack/latest/password").text == "c2VjcmV0"

    cloud.ask("DELETE", f"/v2.1/servers/{first}")
    cloud.settle()
    assert ask(cloud, source, "/latest/user-data").status_code == 404
    network = cloud.ask("GET", "/v2.1/os-networks", version="2.1").json()["networks"][0]["id"]
    second = cloud.boot("second", networks=[{"uuid": network, "fixed_ip": source}])

    assert address(cloud, second) == source
    assert ask(cloud, source, "/latest/user-data").status_code == 404
    assert ask(cloud, source, "/latest/meta-data/hostname").text == "second.novalocal"
    assert ask(cloud, source, "/openstack/latest/meta_data.json").json()["uuid"] == second
    assert ask(cloud, source, "/openstack/latest/password").text == ""
    assert ask(cloud, source, "/latest/meta-data/hostname", headers={TOKEN: token}).status_code == 401


def test_what_changes_of_an_instance_is_told_at_once(cloud: Cloud) -> None:
    server_id = cloud.boot("before")
    source = address(cloud, server_id)
    assert ask(cloud, source, "/openstack/latest/meta_data.json").json()["name"] == "before"
    cloud.ask("PUT", f"/v2.1/servers/{server_id}", {"server": {"name": "after"}})
    assert ask(cloud, source, "/openstack/latest/meta_data.json").json()["name"] == "after"


def test_a_password_is_told_once(cloud: Cloud) -> None:
    server = cloud.boot()
    source = address(cloud, server)
    assert ask(cloud, source, "/openstack/latest/password", "POST", data=b"\xff").status_code == 400
    assert ask(cloud, source, "/openstack/latest/password", "POST", data="x" * 5000).status_code == 413
    assert ask(cloud, source, "/openstack/latest/password", "POST", data="").status_code == 400
    assert ask(cloud, source, "/openstack/2011-01-01/password", "POST", data="abc").status_code == 404
    assert ask(cloud, source, "/openstack/2013-04-04/password/", "POST", data="abc").status_code == 200
    ec2 = Ec2(cloud).client()
    instance = ec2_id("i", server)
    ec2.get_waiter("password_data_available").wait(InstanceId=instance, WaiterConfig=QUICK)
    assert ec2.get_password_data(InstanceId=instance)["PasswordData"] == "abc"
    assert ask(cloud, source, "/openstack/latest/password", "POST", data="def").status_code == 409
    assert ask(cloud, source, "/openstack/latest/password").text == "abc"


def test_tokens_are_for_one_instance_and_some_time(cloud: Cloud) -> None:
    source, other = address(cloud, cloud.boot()), address(cloud, cloud.boot())
    given = ask(cloud, source, "/latest/api/token", "PUT", headers={TTL: "21600"})
    assert (given.status_code, given.headers[TTL]) == (200, "21600")
    path = "/latest/meta-data/instance-id"

    def status(source: str, token: str) -> int:
        return ask(cloud, source, path, headers={TOKEN: token}).status_code

    assert status(source, given.text) == 200
    assert status(other, given.text) == 401
    assert status(source, "made-up") == status(source, given.text[:-2]) == status(source, "") == 401
    assert ask(cloud, source, path).status_code == 200
    short = ask(cloud, source, "/latest/api/token", "PUT", headers={TTL: "1"}).text
    assert wait_for(lambda: status(source, short) == 401)
    for bad in ({}, {TTL: "0"}, {TTL: "21601"}, {TTL: "soon"}):
        assert ask(cloud, source, "/latest/api/token", "PUT", headers=bad).status_code == 400
    assert ask(cloud, source, "/latest/meta-data/", "PUT", headers={TTL: "5"}).status_code == 405
    assert ask(cloud, "10.3.3.3", "/latest/api/token", "PUT", headers={TTL: "5"}).status_code == 404


@pytest.mark.parametrize(
    ("forwarded", "believed"),
    [
        ("{guest}", True), ("{guest}, 127.0.0.9", True), ("10.0.3.3, {guest}, 192.0.2.7", True),
        ("{guest}, 10.0.3.3", False), ("{guest}, 192.0.2.8", False), ("{guest}, rubbish", False),
    ],
)  # fmt: skip
def test_only_the_nearest_address_that_is_no_trusted_proxy_counts(
    cloud: Cloud, forwarded: str, believed: bool
) -> None:
    source = address(cloud, cloud.boot())
    answer = ask(cloud, forwarded.format(guest=source), "/latest/meta-data/local-ipv4")
    assert answer.status_code == (200 if believed else 404)


def test_an_owner_may_require_tokens_for_an_instance(cloud: Cloud) -> None:
    server_id = cloud.boot()
    source = address(cloud, server_id)
    with wiring.desk(cloud.conf) as (_, operations):
        operations.servers.set_options(system_context(), server_id, metadata_tokens=True)

    path = "/latest/meta-data/instance-id"
    assert ask(cloud, source, path).status_code == 401
    token = ask(cloud, source, "/latest/api/token", "PUT", headers={TTL: "60"}).text
    assert ask(cloud, source, path, headers={TOKEN: token}).text == ec2_id("i", server_id)


def test_who_forwards_for_another_gets_no_token(cloud: Cloud) -> None:
    source = address(cloud, cloud.boot())
    answer = ask(cloud, f"203.0.113.9, {source}", "/latest/api/token", "PUT", headers={TTL: "60"})
    assert answer.status_code == 403


def test_an_operator_may_trust_no_proxy_and_require_tokens(cloud: Cloud) -> None:
    from nova_lite.cmd.wiring.apis import applications_of
    from nova_lite.cmd.wiring.cloud import make_cloud

    source = address(cloud, cloud.boot())
    conf = load([*cloud.flags, "--nouse_forwarded_for", "--metadata_tokens=required"], prog="nova-api")
    base = wiring.make_base(conf)
    try:
        application = applications_of(conf, make_cloud(base))["metadata"]

        def status(method: str, path: str, **headers: str) -> int:
            import webob

            request = webob.Request.blank(path, method=method, environ={"REMOTE_ADDR": f"::ffff:{source}"})
            request.headers.update(headers)
            answer = request.get_response(application)
            if method == "PUT":
                tokens.append(answer.text)
            return int(answer.status_int)

        tokens: list[str] = []
        assert status("GET", "/latest/meta-data/hostname") == 401
        assert status("GET", "/openstack/latest/meta_data.json") == 200
        assert status("PUT", "/latest/api/token", **{TTL: "60", "X-Forwarded-For": "127.0.0.1"}) == 403
        assert status("PUT", "/latest/api/token", **{TTL: "60"}) == 200
        assert status("GET", "/latest/meta-data/hostname", **{TOKEN: tokens[-1]}) == 200
    finally:
        base.close()


@pytest.mark.parametrize(("flags", "limit", "ttl"), [([], 3, 3), (["--metadata_hop_limit=1"], 3, 1), ([], 0, None)])
def test_a_token_goes_no_further_than_the_owner_wants(
    cloud: Cloud, flags: list[str], limit: int, ttl: int | None
) -> None:
    from nova_lite.cmd.wiring.apis import applications_of
    from nova_lite.cmd.wiring.cloud import make_cloud

    server_id = cloud.boot()
    source, seen = address(cloud, server_id), []
    with wiring.desk(cloud.conf) as (_, operations):
        operations.servers.set_options(system_context(), server_id, hop_limit=limit)
    base = wiring.make_base(load([*cloud.flags, "--nouse_forwarded_for", *flags], prog="nova-api"))
    application = applications_of(base.conf, make_cloud(base))["metadata"]

    def of_guest(environ: dict[str, Any], start_response: Any) -> Any:
        answer = application(environ | {"REMOTE_ADDR": source}, start_response)
        connection = wsgi_server.connection_of(environ)
        assert connection is not None
        seen.append(connection.getsockopt(socket.IPPROTO_IP, socket.IP_TTL))
        return answer

    server = wsgi_server.WsgiServer(of_guest, wsgi_server.listen("127.0.0.1", 0))
    server.start()
    try:
        url = f"http://127.0.0.1:{server.port}/latest"
        assert requests.get(f"{url}/meta-data/", timeout=10).status_code == 200
        assert requests.put(f"{url}/api/token", headers={TTL: "60"}, timeout=10).status_code == 200
    finally:
        server.stop(1)
        base.close()
    assert seen[1] == (ttl or seen[0])


def test_a_guest_that_asks_for_everything_costs_one_query_a_request(cloud: Cloud) -> None:
    import sqlalchemy as sa

    from nova_lite.core.metadata import MetadataSettings
    from nova_lite.operations.metadata import Metadata

    source = address(cloud, cloud.boot())
    asked = Metadata(cloud.database, MetadataSettings(), cache_seconds=60)
    first = asked.of_address(source)
    sent: list[str] = []
    listen = lambda *arguments: sent.append(arguments[2])  # noqa: E731
    sa.event.listen(cloud.database.engine, "before_cursor_execute", listen)
    try:
        assert asked.of_address(source) is first
    finally:
        sa.event.remove(cloud.database.engine, "before_cursor_execute", listen)
    assert len([statement for statement in sent if statement.startswith("SELECT")]) == 1


@pytest.mark.parametrize("content", ["[1]", "{", None], ids=["list", "broken", "missing"])
def test_vendor_data_that_is_no_json_object_stops_the_daemon(
    cloud: Cloud, tmp_path: Any, content: str | None
) -> None:
    file = tmp_path / "vendor.json"
    if content is not None:
        file.write_text(content)
    conf = load([*cloud.flags, f"--vendordata_jsonfile_path={file}"], prog="nova-compute")
    with pytest.raises(ConfigurationError, match="vendordata_jsonfile_path"):
        wiring.compute_components(conf)
