"""Where the catalog says that the APIs are."""

from nova_lite.core.catalog import Catalog, CatalogService, services_of


def urls(catalog: Catalog, host_url: str, project_id: str = "") -> list[str]:
    endpoints = catalog.endpoints(host_url, project_id)
    return [endpoint.url for endpoint in endpoints if endpoint.interface == "public"]


def test_every_url_has_the_scheme_and_host_of_the_client_and_the_port_of_its_api() -> None:
    catalog = Catalog("R", services_of(["identity", "image"], ports={"image": 19292}))

    assert urls(catalog, "https://cloud:443") == ["https://cloud:5000", "https://cloud:19292"]


def test_an_ipv6_address_stays_in_brackets() -> None:
    catalog = Catalog("R", services_of(["osapi_compute"], ports={}))

    assert urls(catalog, "http://[::1]:5000") == ["http://[::1]:8774/v2.1"]


def test_the_public_host_replaces_that_of_the_client() -> None:
    catalog = Catalog("R", services_of(["identity"], ports={}), public_host="front")

    assert urls(catalog, "http://10.0.0.1:5000") == ["http://front:5000"]


def test_a_url_given_by_the_operator_replaces_all() -> None:
    services = services_of(["image"], ports={}, overrides={"image": "https://images.example/glance/"})

    assert urls(Catalog("R", services), "http://cloud:5000") == ["https://images.example/glance"]


def test_apis_that_the_catalog_does_not_show_are_passed_over() -> None:
    assert services_of(["metadata", "osapi_volume"], ports={}) == ()


def test_a_url_with_a_project_is_there_only_for_a_project() -> None:
    catalog = Catalog("R", (CatalogService("block-storage", "cinder", 8776, "/v3/{project_id}"),))

    assert urls(catalog, "http://cloud:5000", "p1") == ["http://cloud:8776/v3/p1"]
    assert urls(catalog, "http://cloud:5000") == []


def test_ids_are_the_same_whatever_the_host() -> None:
    catalog = Catalog("R", services_of(["identity", "image"], ports={}))

    here = [endpoint.id for endpoint in catalog.endpoints("http://a:5000")]
    there = [endpoint.id for endpoint in catalog.endpoints("http://b:5000")]

    assert here == there
    assert len(set(here)) == 6
