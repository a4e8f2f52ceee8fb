"""Instance types of the EC2 API: the flavors."""

import dataclasses
from collections.abc import Sequence

from nova_lite.api.ec2 import filters, paging, places
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.instance_view import ARCHITECTURE, HYPERVISOR
from nova_lite.api.ec2.paging import Listed
from nova_lite.api.ec2.xml import Shape, always, number, one, text
from nova_lite.core.instance import Flavor


@dataclasses.dataclass(frozen=True, slots=True)
class Offering:
    """A flavor somewhere."""

    flavor: Flavor
    kind: str
    place: str


TYPES = paging.shape(
    "instanceTypeSet",
    Shape(
        text("instanceType", lambda flavor: flavor.name),
        always("currentGeneration", True),
        always("freeTierEligible", False),
        always("supportedUsageClasses", ("on-demand",)),
        always("supportedRootDeviceTypes", ("instance-store",)),
        always("supportedVirtualizationTypes", ("hvm",)),
        always("bareMetal", False),
        always("hypervisor", HYPERVISOR),
        always("processorInfo", {"supportedArchitectures": (ARCHITECTURE,)}),
        one(
            "vCpuInfo",
            lambda flavor: flavor,
            Shape(
                number("defaultVCpus", lambda flavor: flavor.vcpus),
                number("defaultCores", lambda flavor: flavor.vcpus),
                always("defaultThreadsPerCore", 1),
            ),
        ),
        one("memoryInfo", lambda flavor: flavor, Shape(number("sizeInMiB", lambda flavor: flavor.memory_mb))),
        always("instanceStorageSupported", True),
        one(
            "instanceStorageInfo",
            lambda flavor: flavor,
            Shape(number("totalSizeInGB", lambda flavor: flavor.root_gb + flavor.ephemeral_gb)),
        ),
        always("ebsInfo", {"ebsOptimizedSupport": "unsupported", "encryptionSupport": "unsupported"}),
        always(
            "networkInfo",
            {"maximumNetworkInterfaces": 1, "ipv4AddressesPerInterface": 1, "ipv6Supported": False},
        ),
        always("placementGroupInfo", {"supportedStrategies": ()}),
        always("hibernationSupported", False),
        always("burstablePerformanceSupported", False),
        always("dedicatedHostsSupported", False),
        always("autoRecoverySupported", False),
        always("supportedBootModes", ("legacy-bios",)),
    ),
)
OFFERINGS = paging.shape(
    "instanceTypeOfferingSet",
    Shape(
        text("instanceType", lambda offering: offering.flavor.name),
        text("locationType", lambda offering: offering.kind),
        text("location", lambda offering: offering.place),
    ),
)

_FILTERS: Table = {
    "auto-recovery-supported": lambda flavor: False,
    "bare-metal": lambda flavor: False,
    "burstable-performance-supported": lambda flavor: False,
    "current-generation": lambda flavor: True,
    "dedicated-hosts-supported": lambda flavor: False,
    "free-tier-eligible": lambda flavor: False,
    "hibernation-supported": lambda flavor: False,
    "hypervisor": lambda flavor: HYPERVISOR,
    "instance-storage-supported": lambda flavor: True,
    "instance-storage-info.total-size-in-gb": lambda flavor: flavor.root_gb + flavor.ephemeral_gb,
    "instance-type": lambda flavor: flavor.name,
    "memory-info.size-in-mib": lambda flavor: flavor.memory_mb,
    "processor-info.supported-architecture": lambda flavor: ARCHITECTURE,
    "supported-boot-mode": lambda flavor: "legacy-bios",
    "supported-root-device-type": lambda flavor: "instance-store",
    "supported-usage-class": lambda flavor: "on-demand",
    "supported-virtualization-type": lambda flavor: "hvm",
    "vcpu-info.default-cores": lambda flavor: flavor.vcpus,
    "vcpu-info.default-vcpus": lambda flavor: flavor.vcpus,
}
_OFFERING_FILTERS: Table = {
    "instance-type": lambda offering: offering.flavor.name,
    "location": lambda offering: offering.place,
}


def describe_instance_types(call: Ec2Call) -> Listed:
    """List the flavors that the project may use."""
    flavors = _flavors(call)
    wanted = call.list("InstanceType")
    known = {flavor.name for flavor in flavors}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        names = ", ".join(unknown)
        raise Ec2Error(
            "InvalidInstanceType", f"The following supplied instance types do not exist: [{names}]"
        )
    found = [flavor for flavor in flavors if not wanted or flavor.name in wanted]
    chosen = filters.chosen(found, call.list("Filter"), _FILTERS)
    return paging.paged(call, chosen, lambda flavor: flavor.name, "InstanceType")


def describe_instance_type_offerings(call: Ec2Call) -> Listed:
    """List the flavors by where they are: everywhere."""
    kind = call.get("LocationType", "region")
    spots: Sequence[str] = [call.conf.region_name] if kind == "region" else list(places.zones(call))
    found = [Offering(flavor, kind, place) for place in spots for flavor in _flavors(call)]
    chosen = filters.chosen(found, call.list("Filter"), _OFFERING_FILTERS)
    return paging.paged(call, chosen, lambda offering: f"{offering.place} {offering.flavor.name}")


def _flavors(call: Ec2Call) -> list[Flavor]:
    return [flavor for flavor in call.cloud.flavors.listing(call.context) if not flavor.disabled]
