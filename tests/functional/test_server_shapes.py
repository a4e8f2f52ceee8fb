"""The exact keys of a server at each microversion that changes them."""

import pytest

from tests.cloud import Cloud

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""What is shown does not depend on the database."""

BASE = {
    "accessIPv4", "accessIPv6", "addresses", "config_drive", "created", "flavor", "hostId", "id", "image",
    "key_name", "links", "metadata", "name", "status", "tenant_id", "updated", "user_id", "progress",
    "security_groups", "OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "OS-EXT-STS:power_state",
    "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state", "OS-SRV-USG:launched_at", "OS-SRV-USG:terminated_at",
    "os-extended-volumes:volumes_attached",
}  # fmt: skip
ADDED = (
    (9, {"locked"}),
    (19, {"description"}),
    (26, {"tags"}),
    (63, {"trusted_image_certificates"}),
    (71, {"server_groups"}),
    (73, {"locked_reason"}),
    (90, {"OS-EXT-SRV-ATTR:hostname"}),
    (96, {"pinned_availability_zone"}),
)
ADMIN = {"OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname", "OS-EXT-SRV-ATTR:instance_name"}
ADMIN_3 = {
    "OS-EXT-SRV-ATTR:hostname", "OS-EXT-SRV-ATTR:kernel_id", "OS-EXT-SRV-ATTR:launch_index",
    "OS-EXT-SRV-ATTR:ramdisk_id", "OS-EXT-SRV-ATTR:reservation_id", "OS-EXT-SRV-ATTR:root_device_name",
    "OS-EXT-SRV-ATTR:user_data",
}  # fmt: skip
MINORS = [1, 2, 3, 8, 9, 15, 16, 18, 19, 25, 26, 46, 47, 62, 63, 70, 71, 72, 73, 74, 75, 89, 90, 95, 96]


def expected(minor: int) -> set[str]:
    return BASE | {key for since, keys in ADDED if minor >= since for key in keys}


@pytest.fixture(scope="module")
def server_id(shared_cloud: Cloud) -> str:
    return shared_cloud.boot("shape")


@pytest.mark.parametrize("minor", MINORS)
def test_show_list_and_update_have_exactly_the_keys_of_their_version(
    shared_cloud: Cloud, server_id: str, minor: int
) -> None:
    version = f"2.{minor}"
    shown = shared_cloud.show(server_id, version=version)
    assert set(shown) == expected(minor)
    listed = shared_cloud.ask("GET", "/v2.1/servers/detail", version=version).json()["servers"][0]
    assert set(listed) == expected(minor) - {"server_groups"}
    body = {"server": {"name": "shape"}}
    updated = shared_cloud.ask("PUT", f"/v2.1/servers/{server_id}", body, version=version).json()["server"]
    missing = {key for key in expected(minor) if key.startswith(("OS-EXT", "OS-SRV", "os-ext"))}
    missing |= {"key_name", "security_groups", "config_drive", "pinned_availability_zone"}
    assert set(updated) == (expected(minor) if minor >= 75 else expected(minor) - missing)
    embedded = {"original_name", "vcpus", "ram", "disk", "ephemeral", "swap", "extra_specs"}
    assert set(shown["flavor"]) == (embedded if minor >= 47 else {"id", "links"})


@pytest.mark.parametrize("minor", [1, 3, 16, 96])
def test_admins_see_more(shared_cloud: Cloud, server_id: str, minor: int) -> None:
    shown = shared_cloud.show(server_id, version=f"2.{minor}", user="admin")
    more = ADMIN | (ADMIN_3 if minor >= 3 else set()) | ({"host_status"} if minor >= 16 else set())
    assert set(shown) == expected(minor) | more
