"""Daemons and availability zones of the compute API."""

from typing import Any

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.hosts import Service
from nova_lite.operations.hosts import INTERNAL_ZONE, Zone


def listing(call: Call) -> Reply:
    """List daemons."""
    found = call.cloud.hosts.services(
        call.context, binary=call.query("binary", "") or "", host=call.query("host", "") or ""
    )
    return Reply({"services": [_view(call, service) for service in found]})


def enable(call: Call) -> Reply:
    """Let a daemon take part (before 2.53)."""
    service = _change(call, disabled=False, disabled_reason=None)
    return Reply({"service": _brief(service) | {"status": "enabled"}})


def disable(call: Call) -> Reply:
    """Give a daemon no new work (before 2.53)."""
    service = _change(call, disabled=True)
    return Reply({"service": _brief(service) | {"status": "disabled"}})


def disable_log_reason(call: Call) -> Reply:
    """Give a daemon no new work, and say why (before 2.53)."""
    reason = call.body["disabled_reason"]
    service = _change(call, disabled=True, disabled_reason=reason)
    return Reply({"service": _brief(service) | {"status": "disabled", "disabled_reason": reason}})


def force_down(call: Call) -> Reply:
    """Declare a daemon dead, or no longer (2.11 to 2.52)."""
    service = _change(call, forced_down=call.body["forced_down"])
    return Reply({"service": _brief(service) | {"forced_down": service.forced_down}})


def update(call: Call) -> Reply:
    """Enable, disable or declare dead a daemon by its id (from 2.53)."""
    wanted = call.body
    changes: dict[str, Any] = {}
    if "status" in wanted:
        changes["disabled"] = wanted["status"] == "disabled"
        changes["disabled_reason"] = wanted.get("disabled_reason") if changes["disabled"] else None
    if "disabled_reason" in wanted and not changes.get("disabled"):
        raise InvalidInput("Specifying disabled_reason when status is 'enabled' is invalid.")
    if "forced_down" in wanted:
        changes["forced_down"] = wanted["forced_down"]
    if not changes:
        raise InvalidInput("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
    service = call.cloud.hosts.update_service(call.context, call.params["service_id"], **changes)
    return Reply({"service": _view(call, service)})


def delete(call: Call) -> Reply:
    """Forget a daemon, by its number before 2.53."""
    uuid = call.params["service_id"]
    if not call.at_least(53):
        found = [one.uuid for one in call.cloud.hosts.services(call.context) if str(one.id) == uuid]
        if not found:
            raise NotFound(f"Service {uuid[:64]} could not be found.")
        uuid = found[0]
    call.cloud.hosts.delete_service(call.context, uuid)
    return Reply()


def zones(call: Call) -> Reply:
    """List the availability zones that instances can be in."""
    found = [zone for zone in call.cloud.hosts.zones(call.context) if zone.name != INTERNAL_ZONE]
    return Reply({"availabilityZoneInfo": [_zone(zone) | {"hosts": None} for zone in found]})


def zones_detail(call: Call) -> Reply:
    """List all availability zones with their hosts and daemons."""
    shown = []
    for zone in call.cloud.hosts.zones(call.context):
        hosts: dict[str, Json] = {}
        for service in zone.services:
            hosts.setdefault(service.host, {})[service.binary] = {
                "available": service.up,
                "active": not service.disabled,
                "updated_at": clock.iso8601_naive(service.heartbeat_at),
            }
        shown.append(_zone(zone) | {"hosts": hosts})
    return Reply({"availabilityZoneInfo": shown})


def _zone(zone: Zone) -> Json:
    return {"zoneName": zone.name, "zoneState": {"available": zone.available}}


def _change(call: Call, **changes: Any) -> Service:
    wanted = call.body
    found = call.cloud.hosts.find_service(call.context, wanted["host"], wanted["binary"])
    return call.cloud.hosts.update_service(call.context, found.uuid, **changes)


def _brief(service: Service) -> Json:
    return {"host": service.host, "binary": service.binary}


def _view(call: Call, service: Service) -> Json:
    internal = service.binary != "nova-compute"
    shown: Json = {
        "id": service.uuid if call.at_least(53) else service.id,
        "binary": service.binary,
        "host": service.host,
        "zone": INTERNAL_ZONE if internal else service.availability_zone,
        "status": "disabled" if service.disabled else "enabled",
        "state": "up" if service.up else "down",
        "updated_at": clock.iso8601_naive(service.heartbeat_at),
        "disabled_reason": service.disabled_reason,
    }
    if call.at_least(11):
        shown["forced_down"] = service.forced_down
    return shown
