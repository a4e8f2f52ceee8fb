"""Calls of the compute API, one for each shape that a response of it can have, and what each needs before."""

from collections.abc import Callable
from typing import Any

import requests

from tests.cloud import Cloud

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHd2mN0Ce9Gf0a1tBNBY0rz8n7FLbZ8bYb1kJmoA5t7C demo"


class Asking:
    """A server and what is around it, and somebody who asks for them at a version."""

    def __init__(self, cloud: Cloud, server_id: str, user: str, minor: int) -> None:
        self.cloud = cloud
        self.server_id = server_id
        self.minor = minor
        self._options = {"user": user, "version": f"2.{minor}"}

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Ask the compute API."""
        return self.cloud.ask(method, f"/v2.1{path}", body, **(self._options | options))

    def of_server(self, method: str, path: str = "", body: Any = None) -> requests.Response:
        """Ask for something of the server."""
        return self.ask(method, f"/servers/{self.server_id}{path}", body)

    def act(self, body: Any) -> requests.Response:
        """Ask for an action on the server, and wait until it is over."""
        return self.cloud.act(self.server_id, body, **self._options)


def _new_server(asking: Asking) -> requests.Response:
    body = {"name": "shape", "flavorRef": "6", "imageRef": asking.cloud.image(), "networks": "auto"}
    if asking.minor < 37:
        del body["networks"]
    answer = asking.ask("POST", "/servers", {"server": body})
    asking.cloud.settle()
    return answer


def _instance_action(asking: Asking) -> requests.Response:
    newest = asking.of_server("GET", "/os-instance-actions").json()["instanceActions"][0]
    return asking.of_server("GET", f"/os-instance-actions/{newest['request_id']}")


def _rescued(asking: Asking) -> requests.Response:
    answer = asking.act({"rescue": {}})
    asking.act({"unrescue": None})
    return answer


def _imaged(action: str, **more: Any) -> Callable[[Asking], requests.Response]:
    def make(asking: Asking) -> requests.Response:
        answer = asking.act({action: {"name": "shape"} | more})
        found = asking.cloud.ask("GET", "/v2/images?name=shape", api="image").json()["images"]
        for image in found:
            asking.cloud.ask("DELETE", f"/v2/images/{image['id']}", api="image", user="admin")
        return answer

    return make


def _flavor(asking: Asking) -> requests.Response:
    body = {"flavor": {"name": "shaped", "ram": 64, "vcpus": 1, "disk": 1, "id": "shaped"}}
    answer = asking.ask("POST", "/flavors", body, user="admin")
    asking.ask("DELETE", "/flavors/shaped", user="admin")
    return answer


def _key_pair(asking: Asking) -> requests.Response:
    asking.ask("DELETE", "/os-keypairs/shaped")
    return asking.ask("POST", "/os-keypairs", {"keypair": {"name": "shaped", "public_key": KEY}})


def _shown_key_pair(asking: Asking) -> requests.Response:
    _key_pair(asking)
    return asking.ask("GET", "/os-keypairs/shaped")


def _listed_key_pairs(asking: Asking) -> requests.Response:
    _key_pair(asking)
    return asking.ask("GET", "/os-keypairs")


def _deleted_key_pair(asking: Asking) -> requests.Response:
    _key_pair(asking)
    return asking.ask("DELETE", "/os-keypairs/shaped")


def _uptime(asking: Asking) -> requests.Response:
    listed = asking.ask("GET", "/os-hypervisors", user="admin").json()["hypervisors"]
    return asking.ask("GET", f"/os-hypervisors/{listed[0]['id']}/uptime", user="admin")


def _shown_interface(asking: Asking) -> requests.Response:
    listed = asking.of_server("GET", "/os-interface").json()["interfaceAttachments"]
    return asking.of_server("GET", f"/os-interface/{listed[0]['port_id']}")


def _service(asking: Asking) -> requests.Response:
    listed = asking.ask("GET", "/os-services?binary=nova-compute", user="admin").json()["services"]
    return asking.ask("PUT", f"/os-services/{listed[0]['id']}", {"status": "enabled"}, user="admin")


def _old_service(verb: str, **more: Any) -> Callable[[Asking], requests.Response]:
    body = {"host": "host1", "binary": "nova-compute"} | more

    def change(asking: Asking) -> requests.Response:
        answer = asking.ask("PUT", f"/os-services/{verb}", body, user="admin")
        asking.ask("PUT", "/os-services/enable", {"host": "host1", "binary": "nova-compute"}, user="admin")
        return answer

    return change


def _admin(method: str, path: str, body: Any = None) -> Callable[[Asking], requests.Response]:
    return lambda asking: asking.ask(method, path, body, user="admin")


def _of_server(method: str, path: str = "", body: Any = None) -> Callable[[Asking], requests.Response]:
    return lambda asking: asking.of_server(method, path, body)


def _quota(path: str = "") -> Callable[[Asking], requests.Response]:
    return lambda asking: asking.ask(
        "GET", f"/os-quota-sets/{asking.cloud.show(asking.server_id)['tenant_id']}{path}"
    )


def _changed_quota(asking: Asking) -> requests.Response:
    project = asking.cloud.show(asking.server_id)["tenant_id"]
    return asking.ask("PUT", f"/os-quota-sets/{project}", {"quota_set": {"cores": 20}}, user="admin")


def _hypervisor(asking: Asking) -> requests.Response:
    listed = asking.ask("GET", "/os-hypervisors", user="admin").json()["hypervisors"]
    return asking.ask("GET", f"/os-hypervisors/{listed[0]['id']}", user="admin")


def _aggregate(action: Callable[[Asking, str], requests.Response]) -> Callable[[Asking], requests.Response]:
    """Return a call about an aggregate that is made for it and removed after it."""

    def make(asking: Asking) -> requests.Response:
        number = _new_aggregate(asking).json()["aggregate"]["id"]
        answer = action(asking, f"/os-aggregates/{number}")
        asking.ask(
            "POST", f"/os-aggregates/{number}/action", {"remove_host": {"host": "host1"}}, user="admin"
        )
        if answer.request.method != "DELETE":
            asking.ask("DELETE", f"/os-aggregates/{number}", user="admin")
        return answer

    return make


def _new_aggregate(asking: Asking) -> requests.Response:
    return asking.ask("POST", "/os-aggregates", {"aggregate": {"name": "shape"}}, user="admin")


def _created_aggregate(asking: Asking) -> requests.Response:
    answer = _new_aggregate(asking)
    asking.ask("DELETE", f"/os-aggregates/{answer.json()['aggregate']['id']}", user="admin")
    return answer


def _on_aggregate(method: str, body: Any = None, path: str = "") -> Callable[[Asking], requests.Response]:
    return _aggregate(lambda asking, found: asking.ask(method, found + path, body, user="admin"))


def _server_group(asking: Asking) -> requests.Response:
    wanted: dict[str, Any] = {"name": "shape"}
    wanted |= {"policy": "affinity"} if asking.minor >= 64 else {"policies": ["affinity"]}
    answer = asking.ask("POST", "/os-server-groups", {"server_group": wanted})
    asking.ask("DELETE", f"/os-server-groups/{answer.json()['server_group']['id']}")
    return answer


def _deleted_server(asking: Asking) -> requests.Response:
    answer = asking.ask("DELETE", f"/servers/{_new_server(asking).json()['server']['id']}")
    asking.cloud.settle()
    return answer


def _deleted_server_group(asking: Asking) -> requests.Response:
    wanted: dict[str, Any] = {"name": "shape"}
    wanted |= {"policy": "affinity"} if asking.minor >= 64 else {"policies": ["affinity"]}
    made = asking.ask("POST", "/os-server-groups", {"server_group": wanted}).json()["server_group"]
    return asking.ask("DELETE", f"/os-server-groups/{made['id']}")


def _deleted_flavor(asking: Asking) -> requests.Response:
    body = {"flavor": {"name": "shaped", "ram": 64, "vcpus": 1, "disk": 1, "id": "shaped"}}
    asking.ask("POST", "/flavors", body, user="admin")
    return asking.ask("DELETE", "/flavors/shaped", user="admin")


def _deleted_quota(asking: Asking) -> requests.Response:
    project = asking.cloud.show(asking.server_id)["tenant_id"]
    return asking.ask("DELETE", f"/os-quota-sets/{project}", user="admin")


def _unplugged(asking: Asking) -> requests.Response:
    port = asking.of_server("GET", "/os-interface").json()["interfaceAttachments"][0]
    answer = asking.of_server("DELETE", f"/os-interface/{port['port_id']}")
    asking.cloud.settle()
    asking.of_server("POST", "/os-interface", {"interfaceAttachment": {"net_id": port["net_id"]}})
    asking.cloud.settle()
    return answer


def _without(
    made: Callable[[Asking], Any], gone: Callable[[Asking], Any]
) -> Callable[[Asking], requests.Response]:
    """Return a call that takes something away, and gives it back after it."""

    def take(asking: Asking) -> requests.Response:
        made(asking)
        answer: requests.Response = gone(asking)
        made(asking)
        return answer

    return take


def _paused(asking: Asking) -> requests.Response:
    answer = asking.act({"pause": None})
    asking.act({"unpause": None})
    return answer


def _confirmed(asking: Asking) -> requests.Response:
    for flavor in ("1", "6"):
        asking.act({"resize": {"flavorRef": flavor}})
        answer = asking.act({"confirmResize": None})
    return answer


def _remote_console(asking: Asking) -> requests.Response:
    wanted = {"remote_console": {"protocol": "vnc", "type": "novnc"}}
    return asking.of_server("POST", "/remote-consoles", wanted)


def _image(method: str = "GET", path: str = "", body: Any = None) -> Callable[[Asking], requests.Response]:
    return lambda asking: asking.ask(method, f"/images/{asking.cloud.image()}{path}", body, user="admin")


def _image_item(asking: Asking) -> requests.Response:
    _image("POST", "/metadata", {"metadata": {"a": "1"}})(asking)
    answer = _image("GET", "/metadata/a")(asking)
    _image("DELETE", "/metadata/a")(asking)
    return answer


def _deleted_image(asking: Asking) -> requests.Response:
    asking.act({"createImage": {"name": "shape"}})
    (image,) = asking.cloud.ask("GET", "/v2/images?name=shape", api="image").json()["images"]
    return asking.ask("DELETE", f"/images/{image['id']}", user="admin")


_TAG = _of_server("PUT", "/tags", {"tags": ["a"]})
_ITEM = _of_server("POST", "/metadata", {"metadata": {"a": "1"}})

LAST = 96
CALLS: dict[str, tuple[Callable[[Asking], requests.Response], int]] = {
    "create_server_with_admin_pass": (_new_server, LAST),
    "get_server": (_of_server("GET"), LAST),
    "list_servers": (lambda asking: asking.ask("GET", "/servers"), LAST),
    "list_servers_detail": (lambda asking: asking.ask("GET", "/servers/detail"), LAST),
    "update_server": (_of_server("PUT", "", {"server": {"name": "shape"}}), LAST),
    "rebuild_server_with_admin_pass": (
        lambda asking: asking.act({"rebuild": {"imageRef": asking.cloud.image()}}), LAST,
    ),
    "rescue_server_with_admin_pass": (_rescued, LAST),
    "create_image": (_imaged("createImage"), LAST),
    "create_backup": (_imaged("createBackup", backup_type="daily", rotation=0), LAST),
    "get_console_output": (lambda asking: asking.act({"os-getConsoleOutput": {}}), LAST),
    "list_addresses": (_of_server("GET", "/ips"), LAST),
    "list_addresses_by_network": (_of_server("GET", "/ips/private"), LAST),
    "list_instance_actions": (_of_server("GET", "/os-instance-actions"), LAST),
    "show_instance_action": (_instance_action, LAST),
    "list_server_metadata": (_of_server("GET", "/metadata"), LAST),
    "set_server_metadata": (_of_server("PUT", "/metadata", {"metadata": {"a": "1"}}), LAST),
    "update_server_metadata": (_of_server("POST", "/metadata", {"metadata": {"a": "1"}}), LAST),
    "set_show_server_metadata_item": (_of_server("PUT", "/metadata/a", {"meta": {"a": "1"}}), LAST),
    "delete_server": (_deleted_server, LAST),
    "delete_server_group": (_deleted_server_group, LAST),
    "delete_server_metadata_item": (_without(_ITEM, _of_server("DELETE", "/metadata/a")), LAST),
    "delete_flavor": (_deleted_flavor, LAST),
    "delete_quota": (_deleted_quota, LAST),
    "delete_interface": (_unplugged, LAST),
    "delete_tag": (_without(_TAG, _of_server("DELETE", "/tags/a")), LAST),
    "delete_all_tags": (_without(_TAG, _of_server("DELETE", "/tags")), LAST),
    "check_tag_existence": (_of_server("GET", "/tags/a"), LAST),
    "update_tag": (_of_server("PUT", "/tags/b"), LAST),
    "server_actions_common_schema": (_paused, LAST),
    "server_actions_confirm_resize": (_confirmed, LAST),
    "server_actions_delete_password": (_of_server("DELETE", "/os-server-password"), LAST),
    "show_password": (_of_server("GET", "/os-server-password"), LAST),
    "show_server_diagnostics": (
        lambda asking: asking.ask("GET", f"/servers/{asking.server_id}/diagnostics", user="admin"), LAST,
    ),
    "get_vnc_console": (lambda asking: asking.act({"os-getVNCConsole": {"type": "novnc"}}), 5),
    "get_remote_consoles": (_remote_console, LAST),
    "list_images": (lambda asking: asking.ask("GET", "/images"), 35),
    "list_images_details": (lambda asking: asking.ask("GET", "/images/detail"), 35),
    "get_image": (_image(), 35),
    "delete": (_deleted_image, 35),
    "image_metadata": (_image("GET", "/metadata"), 38),
    "image_meta_item": (_image_item, 38),
    "list_tags": (_of_server("GET", "/tags"), LAST),
    "update_all_tags": (_of_server("PUT", "/tags", {"tags": ["a"]}), LAST),
    "list_volume_attachments": (_of_server("GET", "/os-volume_attachments"), LAST),
    "list_interfaces": (_of_server("GET", "/os-interface"), LAST),
    "create_update_get_flavor_details": (_flavor, LAST),
    "list_flavors": (lambda asking: asking.ask("GET", "/flavors"), LAST),
    "list_flavors_details": (lambda asking: asking.ask("GET", "/flavors/detail"), LAST),
    "create_keypair": (_key_pair, LAST),
    "get_keypair": (_shown_key_pair, LAST),
    "list_keypairs": (_listed_key_pairs, LAST),
    "delete_keypair": (_deleted_key_pair, LAST),
    "get_create_interfaces": (_shown_interface, LAST),
    "get_hypervisor": (_hypervisor, 87),
    "get_hypervisor_uptime": (_uptime, 87),
    "get_hypervisor_statistics": (_admin("GET", "/os-hypervisors/statistics"), 87),
    "list_search_hypervisors": (_admin("GET", "/os-hypervisors"), LAST),
    "list_hypervisors_detail": (_admin("GET", "/os-hypervisors/detail"), 87),
    "get_hypervisors_servers": (_admin("GET", "/os-hypervisors/host1/servers"), 52),
    "list_services": (_admin("GET", "/os-services"), LAST),
    "update_service": (_service, LAST),
    "disable_log_reason": (_old_service("disable-log-reason", disabled_reason="why"), 52),
    "enable_disable_service": (_old_service("disable"), 52),
    "update_forced_down": (_old_service("force-down", forced_down=False), 52),
    "create_aggregate": (_created_aggregate, LAST),
    "delete_aggregate": (_on_aggregate("DELETE"), LAST),
    "get_aggregate": (_on_aggregate("GET"), LAST),
    "list_aggregates": (_aggregate(lambda asking, _: asking.ask("GET", "/os-aggregates", user="admin")), LAST),
    "update_aggregate": (_on_aggregate("PUT", {"aggregate": {"name": "renamed"}}), LAST),
    "aggregate_add_remove_host": (_on_aggregate("POST", {"add_host": {"host": "host1"}}, "/action"), LAST),
    "aggregate_set_metadata": (_on_aggregate("POST", {"set_metadata": {"metadata": {"a": "1"}}}, "/action"), LAST),
    "create_show_server_group": (_server_group, LAST),
    "list_server_groups": (lambda asking: asking.ask("GET", "/os-server-groups"), LAST),
    "list_migrations": (_admin("GET", "/os-migrations"), LAST),
    "get_limit": (lambda asking: asking.ask("GET", "/limits"), LAST),
    "get_quota_set": (_quota(), LAST),
    "get_quota_set_details": (_quota("/detail"), LAST),
    "update_quota_set": (_changed_quota, LAST),
    "get_quota_class_set": (_admin("GET", "/os-quota-class-sets/default"), LAST),
    "update_quota_class_set": (_admin("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 20}}), LAST),
}  # fmt: skip
"""The calls by the names of their shapes, with the last version that has them in this shape."""
