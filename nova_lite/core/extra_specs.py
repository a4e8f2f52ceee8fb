"""The extra specs of flavors whose names and values are known, and those that are nobody's."""

import re
from collections.abc import Mapping

_TRUTH = r"(?i:1|t|true|on|y|yes|0|f|false|off|n|no)"
_COUNT = r"\d{1,18}"
_FROM_ONE = r"0*[1-9]\d{0,17}"
_ANY = r".*"
_LIST = r"\^?\d+(-\d+)?(,\^?\d+(-\d+)?)*"

KNOWN: Mapping[str, str] = {
    r"accel:device_profile": _ANY,
    r"aggregate_instance_extra_specs:.+": _ANY,
    r"capabilities:.+": _ANY,
    r"group_policy": "none|isolate",
    r"hide_hypervisor_id": _TRUTH,
    r"hw:boot_menu": _TRUTH,
    r"hw:cpu_policy": "dedicated|shared|mixed",
    r"hw:cpu_thread_policy": "prefer|isolate|require",
    r"hw:cpu_dedicated_mask": _LIST,
    r"hw:cpu_realtime": _TRUTH,
    r"hw:cpu_realtime_mask": _LIST,
    r"hw:cpu_(max_)?(cores|sockets|threads)": _FROM_ONE,
    r"hw:emulator_threads_policy": "isolate|share",
    r"hw:ephemeral_encryption": _TRUTH,
    r"hw:ephemeral_encryption_format": "luks|plain",
    r"hw:hide_hypervisor_id": _TRUTH,
    r"hw:locked_memory": _TRUTH,
    r"hw:maxphysaddr_bits": _COUNT,
    r"hw:maxphysaddr_mode": "passthrough|emulate",
    r"hw:mem_encryption": _TRUTH,
    r"hw:mem_encryption_model": "amd-sev|amd-sev-es",
    r"hw:mem_page_size": r"large|small|any|\d+([kKMGT]i?)?(b|bit|B)?",
    r"hw:numa_cpus\.\d+": _LIST,
    r"hw:numa_mem\.\d+": _FROM_ONE,
    r"hw:numa_nodes": _FROM_ONE,
    r"hw:pci_numa_affinity_policy": "required|preferred|legacy|socket",
    r"hw:pmem": _ANY,
    r"hw:pmu": _TRUTH,
    r"hw:serial_port_count": _COUNT,
    r"hw:tpm_model": "tpm-tis|tpm-crb",
    r"hw:tpm_version": r"1\.2|2\.0",
    r"hw:vif_multiqueue_enabled": _TRUTH,
    r"hw:viommu_model": "intel|smmuv3|virtio|auto",
    r"hw:virtio_packed_ring": _TRUTH,
    r"hw:watchdog_action": "none|pause|poweroff|reset|disabled",
    r"hw_rng:allowed": _TRUTH,
    r"hw_rng:rate_(bytes|period)": _COUNT,
    r"hw_video:ram_max_mb": _COUNT,
    r"os:secure_boot": "required|disabled|optional",
    r"pci_passthrough:alias": r"[^:]+:\d+(,[^:]+:\d+)*",
    r"quota:(cpu|memory|disk_io|vif)_(shares_)?(level|limit|reservation|share)": _ANY,
    r"quota:cpu_(shares|quota|period)": _COUNT,
    r"quota:disk_(read|write|total)_(bytes|iops)_sec(_max)?": _COUNT,
    r"quota:vif_(in|out)bound_(average|peak|burst)": _COUNT,
    r"resources[A-Za-z0-9_-]{0,64}:[A-Z0-9_]+": _COUNT,
    r"trait[A-Za-z0-9_-]{0,64}:[A-Z0-9_]+": "required|forbidden",
}
"""Names and the values that they may have, as regular expressions."""

_NAMESPACES = re.compile(
    r"(accel|hw|hw_rng|hw_video|os|pci_passthrough|quota|(resources|trait)[A-Za-z0-9_-]{0,64}):.*", re.DOTALL
)
"""Names of which all that exist are known."""


def problem(name: str, value: str) -> str:
    """Say what is wrong with an extra spec; empty for one that is right, or of which nothing is known."""
    for pattern, values in KNOWN.items():
        if re.fullmatch(pattern, name):
            right = re.fullmatch(values, value) is not None
            return "" if right else f"Validation failed; {value[:60]!r} is no value of the extra spec {name}."
    if _NAMESPACES.fullmatch(name):
        return f"Validation failed; extra spec '{name[:60]}' does not appear to be a valid extra spec."
    return ""
