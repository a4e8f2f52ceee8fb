"""What is asked of a server's guest: password, crash dump, diagnostics, topology."""

from nova_lite.api import microversions
from nova_lite.api.call import Call, Json, Reply
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import NotFound
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import PowerState

_STATES = {
    PowerState.NOSTATE: "pending",
    PowerState.RUNNING: "running",
    PowerState.PAUSED: "paused",
    PowerState.SHUTDOWN: "shutdown",
    PowerState.CRASHED: "crashed",
    PowerState.SUSPENDED: "suspended",
}


def change_password(call: Call) -> Reply:
    """Change the administrator's password."""
    password = call.body["changePassword"]["adminPass"]
    call.cloud.guests.change_password(call.context, call.params["server_id"], password)
    return Reply()


def show_password(call: Call) -> Reply:
    """Show the password that the guest told, encrypted for its key pair."""
    return Reply({"password": call.cloud.guests.password(call.context, call.params["server_id"])})


def clear_password(call: Call) -> Reply:
    """Forget the password that the guest told."""
    call.cloud.guests.forget_password(call.context, call.params["server_id"])
    return Reply()


def crash_dump(call: Call) -> Reply:
    """Have the guest's kernel dump its memory."""
    call.cloud.guests.dump(call.context, call.params["server_id"])
    return Reply()


def diagnostics(call: Call) -> Reply:
    """Show how the guest does; until 2.47 in the words of libvirt."""
    instance, found = call.cloud.guests.diagnostics(call.context, call.params["server_id"])
    return Reply(_view(instance, found) if call.at_least(48) else _old_view(found))


def topology(call: Call) -> Reply:
    """Show on which NUMA nodes the guest is: none is told apart.

    This is there since 2.78; but clients ask for it without saying any version, and are understood.
    """
    if not call.at_least(78) and microversions.is_said("compute", call.request):
        raise NotFound("The resource could not be found.")
    call.cloud.servers.instance(call.context, call.params["server_id"])
    return Reply({"nodes": [], "pagesize_kb": None})


def _view(instance: Instance, found: Diagnostics) -> Json:
    return {
        "state": _STATES[found.state],
        "driver": found.driver,
        "hypervisor": found.hypervisor,
        "hypervisor_os": "linux",
        "uptime": found.uptime,
        "config_drive": instance.config_drive,
        "num_cpus": len(found.cpus),
        "num_nics": len(found.nics),
        "num_disks": len(found.disks),
        "cpu_details": [{"id": cpu.id, "time": cpu.time, "utilisation": None} for cpu in found.cpus],
        "nic_details": [
            {
                "mac_address": nic.mac,
                "rx_octets": nic.rx_octets,
                "rx_errors": nic.rx_errors,
                "rx_drop": nic.rx_drop,
                "rx_packets": nic.rx_packets,
                "rx_rate": None,
                "tx_octets": nic.tx_octets,
                "tx_errors": nic.tx_errors,
                "tx_drop": nic.tx_drop,
                "tx_packets": nic.tx_packets,
                "tx_rate": None,
            }
            for nic in found.nics
        ],
        "disk_details": [
            {
                "read_bytes": disk.read_bytes,
                "read_requests": disk.read_requests,
                "write_bytes": disk.write_bytes,
                "write_requests": disk.write_requests,
                "errors_count": disk.errors_count,
            }
            for disk in found.disks
        ],
        "memory_details": {"maximum": found.memory_maximum, "used": found.memory_used},
    }


def _old_view(found: Diagnostics) -> Json:
    view: Json = {f"cpu{cpu.id}_time": cpu.time for cpu in found.cpus}
    for disk in found.disks:
        view |= {
            f"{disk.target}_read": disk.read_bytes,
            f"{disk.target}_read_req": disk.read_requests,
            f"{disk.target}_write": disk.write_bytes,
            f"{disk.target}_write_req": disk.write_requests,
            f"{disk.target}_errors": -1 if disk.errors_count is None else disk.errors_count,
        }
    for position, nic in enumerate(found.nics):
        view |= {
            f"vnet{position}_{way}{suffix}": getattr(nic, f"{way}_{name}")
            for way in ("rx", "tx")
            for suffix, name in (
                ("", "octets"),
                ("_packets", "packets"),
                ("_errors", "errors"),
                ("_drop", "drop"),
            )
        }
    return view | {"memory": found.memory_maximum * 1024, "memory-rss": found.memory_used * 1024}
