"""What a user asks for when booting servers, whichever front door the request came through."""

import dataclasses
from collections.abc import Mapping

from nova_lite.core.hints import Hints
from nova_lite.core.instance import Instance
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.local_disks import LocalDisks
from nova_lite.core.metadata import InjectedFile


@dataclasses.dataclass(frozen=True, slots=True)
class RequestedNetwork:
    """A network that the instance is to be in, the fixed address wanted there if any, and a tag for its guest.

    With a ``port``, which is there already, the network and the address are that one's.
    """

    uuid: str
    fixed_ip: str = ""
    tag: str = ""
    port: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class BootRequest:
    """A request for one or more servers.

    Servers without a ``name`` are called by their EC2 id. ``networks`` None means every network of the project,
    an empty tuple means none. ``user_data`` is Base64 text (RFC 4648, section 4). ``host`` is for an admin to
    choose; one that ``is_forced`` no filter refuses. ``kernel_id`` and ``ramdisk_id`` replace those of the image.
    A ``client_token`` makes of the same request, told by its ``fingerprint``, sent again the same servers.
    """

    name: str
    image_id: str
    flavor_id: str
    min_count: int = 1
    max_count: int = 1
    description: str | None = None
    hostname: str = ""
    key_name: str = ""
    user_data: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)
    availability_zone: str = ""
    host: str = ""
    is_forced: bool = False
    networks: tuple[RequestedNetwork, ...] | None = None
    security_groups: tuple[str, ...] = ()
    config_drive: bool = False
    files: tuple[InjectedFile, ...] = ()
    admin_password: str = ""
    access_ip_v4: str = ""
    access_ip_v6: str = ""
    disk_config: str = "MANUAL"
    tags: tuple[str, ...] = ()
    local_disks: LocalDisks = dataclasses.field(default_factory=LocalDisks)
    hints: Hints = dataclasses.field(default_factory=Hints)
    kernel_id: str = ""
    ramdisk_id: str = ""
    options: InstanceOptions = dataclasses.field(default_factory=InstanceOptions)
    client_token: str = ""
    fingerprint: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Booted:
    """What the user gets at once: the reservation and the servers in it, all still building.

    ``instances`` are the servers as they were written, ``security_groups`` the ids and names of their groups; both
    are empty where the same request had been made before.
    """

    reservation_id: str
    uuids: tuple[str, ...]
    admin_password: str
    instances: tuple[Instance, ...] = ()
    security_groups: tuple[tuple[str, str], ...] = ()
