"""Clients of days before microversions: paths with a version and a project, XML, and bodies with more in them."""

from xml.etree import ElementTree

import pytest
import requests

from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NS = "{http://docs.openstack.org/compute/api/v1.1}"
ATOM = "{http://www.w3.org/2005/Atom}"
STATUS = "{http://docs.openstack.org/compute/ext/extended_status/api/v1.1}"


def project_id(cloud: Cloud) -> str:
    answer = requests.get(
        cloud.url("identity", "/v3/auth/tokens"), timeout=10,
        headers={"X-Auth-Token": cloud.token(), "X-Subject-Token": cloud.token()},
    )  # fmt: skip
    return str(answer.json()["token"]["project"]["id"])


def ask(cloud: Cloud, method: str, path: str, body: str = "", **headers: str) -> requests.Response:
    """Send what an old client would: no microversion, XML if anything."""
    given = {"X-Auth-Token": cloud.token()} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    if body:
        given["Content-Type"] = "application/xml"
    return requests.request(
        method, cloud.url("osapi_compute", path), data=body.encode(), headers=given, timeout=20
    )


def xml(answer: requests.Response) -> ElementTree.Element:
    assert answer.headers["Content-Type"] == "application/xml; charset=UTF-8", answer.text
    return ElementTree.fromstring(answer.content)


@pytest.mark.parametrize("version", ["v1.1", "v2"])
def test_the_project_stands_in_the_path_of_old_versions(cloud: Cloud, version: str) -> None:
    root = f"/{version}/{project_id(cloud)}"
    server = {"name": "old", "flavorRef": "6", "imageRef": cloud.image(), "unheard-of": 1}

    made = cloud.ask("POST", f"{root}/servers", {"server": server})

    assert made.status_code == 202, made.text
    assert "OpenStack-API-Version" not in made.headers
    href = made.json()["server"]["links"][0]["href"]
    assert href.startswith(cloud.url("osapi_compute", f"{root}/servers/"))
    cloud.settle()
    shown = requests.get(href, headers={"X-Auth-Token": cloud.token()}, timeout=10).json()["server"]
    assert shown["status"] == "ACTIVE"
    assert "description" not in shown
    assert cloud.ask("GET", f"/v2.1/{project_id(cloud)}/servers").json()["servers"][0]["name"] == "old"


def test_old_versions_show_what_they_are(cloud: Cloud) -> None:
    for path in ("/v1.1", "/v2/"):
        answer = requests.get(cloud.url("osapi_compute", path), timeout=10)
        assert answer.json()["version"]["id"] == "v2.0"
        assert answer.json()["version"]["links"][0]["href"].rstrip("/").endswith(path.rstrip("/"))


def test_another_project_in_the_path_is_400_and_an_unknown_path_404(cloud: Cloud) -> None:
    foreign = cloud.ask("GET", f"/v2/{'f' * 32}/servers")
    assert foreign.status_code == 400
    assert "does not match" in foreign.json()["badRequest"]["message"]
    assert cloud.ask("GET", "/v2/nonsense").status_code == 404
    assert requests.get(cloud.url("osapi_compute", f"/v2/{'f' * 32}/servers"), timeout=10).status_code == 401


def test_a_server_lives_in_xml(cloud: Cloud) -> None:
    body = f"""<?xml version="1.0"?>
    <server xmlns="http://docs.openstack.org/compute/api/v1.1" name="x" imageRef="{cloud.image()}" flavorRef="6">
      <metadata><meta key="a b">1</meta></metadata>
      <personality><file path="/etc/motd">aGVsbG8=</file></personality>
      <security_groups><security_group name="default"/></security_groups>
    </server>"""
    made = xml(ask(cloud, "POST", "/v1.1/servers", body, Accept="application/xml"))
    assert made.tag == f"{NS}server"
    assert made.get("adminPass")
    cloud.settle()

    shown = xml(ask(cloud, "GET", f"/v1.1/servers/{made.get('id')}.xml"))

    assert (shown.get("name"), shown.get("status"), shown.get(f"{STATUS}vm_state")) == (
        "x",
        "ACTIVE",
        "active",
    )
    assert shown.get("tenantId") == project_id(cloud)
    assert [(meta.get("key"), meta.text) for meta in shown.findall(f"{NS}metadata/{NS}meta")] == [
        ("a b", "1")
    ]
    assert shown.find(f"{NS}image").get("id") == cloud.image()
    assert {link.get("rel") for link in shown.findall(f"{ATOM}link")} == {"self", "bookmark"}
    network = shown.find(f"{NS}addresses/{NS}network")
    assert network.get("id") == "private"
    assert network.find(f"{NS}ip").get("version") == "4"
    assert shown.find(f"{NS}security_groups/{NS}security_group").get("name") == "default"

    answer = ask(cloud, "POST", f"/v1.1/servers/{made.get('id')}/action", '<reboot type="SOFT"/>')
    assert answer.status_code == 202, answer.text
    cloud.settle()
    answer = ask(cloud, "POST", f"/v1.1/servers/{made.get('id')}/action", "<pause/>")
    assert answer.status_code == 202, answer.text
    cloud.settle()
    listed = xml(ask(cloud, "GET", "/v1.1/servers/detail?limit=1", Accept="application/xml"))
    assert [server.get("status") for server in listed.findall(f"{NS}server")] == ["PAUSED"]
    assert listed.find(f"{ATOM}link").get("rel") == "next"


def test_metadata_and_an_image_are_made_in_xml(cloud: Cloud) -> None:
    server_id = cloud.boot()
    path = f"/v2/servers/{server_id}"

    ask(cloud, "PUT", f"{path}/metadata/k", '<meta key="k">one</meta>')
    answer = ask(cloud, "POST", f"{path}/metadata", '<metadata><meta key="l">two</meta></metadata>')
    assert answer.json() == {"metadata": {"k": "one", "l": "two"}}
    item = xml(ask(cloud, "GET", f"{path}/metadata/k", Accept="application/xml"))
    assert (item.tag, item.get("key"), item.text) == (f"{NS}meta", "k", "one")

    body = '<createImage name="shot"><metadata><meta key="m">3</meta></metadata></createImage>'
    assert ask(cloud, "POST", f"{path}/action", body).headers["Location"]
    cloud.settle()
    (image,) = cloud.ask("GET", "/v2/images?name=shot", api="image").json()["images"]
    assert image["m"] == "3"
    cloud.ask("DELETE", f"/v2/images/{image['id']}", api="image")


def test_limits_flavors_and_extra_specs_show_in_xml(cloud: Cloud) -> None:
    limits = xml(ask(cloud, "GET", "/v1.1/limits", Accept="application/xml"))
    absolute = {limit.get("name"): limit.get("value") for limit in limits.findall(f"{NS}absolute/{NS}limit")}
    assert absolute["maxTotalInstances"] == "10"
    flavor = xml(ask(cloud, "GET", "/v1.1/flavors/6", Accept="application/xml"))
    assert (flavor.tag, flavor.get("vcpus")) == (f"{NS}flavor", "1")
    groups = xml(ask(cloud, "GET", "/v1.1/os-security-groups", Accept="application/xml"))
    assert groups.find(f"{NS}security_group").find(f"{NS}description") is not None


def test_faults_come_in_the_form_that_the_client_wants(cloud: Cloud) -> None:
    fault = xml(ask(cloud, "GET", "/v1.1/servers/none", Accept="application/xml"))
    assert (fault.tag, fault.get("code")) == (f"{NS}itemNotFound", "404")
    assert "none" in fault.find(f"{NS}message").text
    bomb = '<!DOCTYPE s [<!ENTITY a "b">]><server name="&a;"/>'
    for body in ("<server", "", bomb, "<a>" * 5000):
        answer = ask(cloud, "POST", "/v1.1/servers", body or " ", Accept="application/xml")
        assert answer.status_code == 400, body[:20]
        assert xml(answer).tag == f"{NS}badRequest"
    assert "badRequest" in ask(cloud, "POST", "/v1.1/servers", "<server/>").json()
    assert cloud.ask("GET", "/v2.1/servers", headers={"Accept": "application/xml"}).json() == {"servers": []}


def test_from_275_on_unknown_parameters_are_refused(cloud: Cloud) -> None:
    for path in ("/servers", "/flavors", "/os-keypairs", "/limits"):
        assert cloud.ask("GET", f"/v2.1{path}?odd=1", version="2.74").status_code == 200
        refused = cloud.ask("GET", f"/v2.1{path}?odd=1", version="2.75")
        assert refused.status_code == 400
        assert "odd" in refused.json()["badRequest"]["message"]
    assert cloud.ask("GET", "/v2.1/servers?limit=many", version="2.1").status_code == 400
