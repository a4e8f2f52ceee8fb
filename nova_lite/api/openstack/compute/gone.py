"""What Nova had and has no more: clients that ask for it are told that it is gone, as Nova tells them."""

from nova_lite.api.call import Call, Reply
from nova_lite.api.errors import HttpError
from nova_lite.api.route import Route

_POLICY = "os_compute_api:extensions"

_RESOURCES: tuple[tuple[str, str], ...] = (
    ("GET", "/v2.1/os-cells"),
    ("POST", "/v2.1/os-cells"),
    ("GET", "/v2.1/os-cells/detail"),
    ("GET", "/v2.1/os-cells/info"),
    ("GET", "/v2.1/os-cells/capacities"),
    ("POST", "/v2.1/os-cells/sync_instances"),
    ("GET", "/v2.1/os-cells/{cell}"),
    ("PUT", "/v2.1/os-cells/{cell}"),
    ("DELETE", "/v2.1/os-cells/{cell}"),
    ("GET", "/v2.1/os-cells/{cell}/capacities"),
    ("GET", "/v2.1/os-cloudpipe"),
    ("POST", "/v2.1/os-cloudpipe"),
    ("PUT", "/v2.1/os-cloudpipe/configure-project"),
    ("GET", "/v2.1/os-fping"),
    ("GET", "/v2.1/os-fping/{server_id}"),
    ("GET", "/v2.1/servers/{server_id}/consoles"),
    ("POST", "/v2.1/servers/{server_id}/consoles"),
    ("GET", "/v2.1/servers/{server_id}/consoles/{console_id}"),
    ("DELETE", "/v2.1/servers/{server_id}/consoles/{console_id}"),
)
_ACTIONS = ("resetNetwork", "injectNetworkInfo")


def refuse(call: Call) -> Reply:
    """Say that it is gone."""
    raise HttpError(410, "This resource is no longer available. No forwarding address is given.")


def routes() -> tuple[Route, ...]:
    """Return the routes; whatever else a request says is not looked at."""
    anything: dict[str, object] = {}
    resources = [
        Route(method, path, refuse, _POLICY, streams=method in ("POST", "PUT")) for method, path in _RESOURCES
    ]
    actions = [
        Route("POST", "/v2.1/servers/{server_id}/action", refuse, _POLICY, anything, action=name)
        for name in _ACTIONS
    ]
    return (*resources, *actions)
