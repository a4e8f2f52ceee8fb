"""Booting: from a request to instance rows with their quota and actions, in one transaction."""

import dataclasses
import datetime
import ipaddress
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from nova_lite.core import clock, hardware, ids
from nova_lite.core.actions import Action, new_action
from nova_lite.core.boot import Booted, BootRequest
from nova_lite.core.context import RequestContext
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound, OverQuota, TokenMismatch
from nova_lite.core.hints import Hints, parsed_query
from nova_lite.core.image import Image
from nova_lite.core.instance import Flavor, Instance
from nova_lite.core.instance_states import TRANSITIONS, PowerState, Verb, VmState
from nova_lite.core.local_disks import EphemeralDisk, LocalDisks
from nova_lite.core.quota import UNLIMITED, Limits, Usage
from nova_lite.db import (
    actions,
    addresses,
    boot_parts,
    client_tokens,
    group_members,
    instance_pages,
    instances,
    networks,
    quotas,
    security_groups,
    server_groups,
)
from nova_lite.db.client_tokens import ClientToken
from nova_lite.db.engine import Database
from nova_lite.operations import injected_files, server_images, tags, user_data
from nova_lite.operations.images import Images
from nova_lite.operations.interfaces import free_ports
from nova_lite.rpc.scheduler import SchedulerProxy

_NOT_IN_HOSTNAMES = re.compile(r"[^a-z0-9-]+")
_MOST = 100_000
_EVER = datetime.datetime(1970, 1, 1)
_ALREADY = 0
"""How many servers a request makes whose client token was used before."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Parts:
    """What the names of a request stand for."""

    flavor: Flavor
    image: Image
    public_key: str | None
    groups: tuple[tuple[str, str], ...]
    local_disks: LocalDisks


class Boot:
    """Turns boot requests into rows."""

    def __init__(
        self,
        database: Database,
        images: Images,
        scheduler: SchedulerProxy,
        limits: Limits,
        *,
        metadata_items: int,
        force_config_drive: bool = False,
        hash_password: Callable[[str], str] = lambda _password: "",
    ) -> None:
        self._database = database
        self._images = images
        self._scheduler = scheduler
        self._limits = limits
        self._metadata_items = metadata_items
        self._force_config_drive = force_config_drive
        self._hash_password = hash_password

    def boot(self, context: RequestContext, request: BootRequest) -> Booted:
        """Order servers; see ``Servers.boot``."""
        self._check(context, request)
        image = server_images.usable(self._images, context, request.image_id)
        if self._force_config_drive or image.properties.get("img_config_drive") == "mandatory":
            request = dataclasses.replace(request, config_drive=True)
        request = self._with_ports(context, request)
        booted = Booted(
            reservation_id=f"r-{secrets.token_hex(9)[:17]}",
            uuids=tuple(ids.new_uuid() for _ in range(request.max_count)),
            admin_password=request.admin_password or ids.new_secret(9),
        )
        action_ids = [ids.new_uuid() for _ in booted.uuids]
        password_hash = self._hash_password(booted.admin_password)
        token = ClientToken("RunInstances", request.client_token, request.fingerprint)
        made: list[Booted] = []

        def work(session: Session) -> int:
            if token.token and not client_tokens.claim(
                session, context.project_id, token, booted.reservation_id
            ):
                return _ALREADY
            parts = self._parts(session, context, request, image)
            count = request.max_count
            if count > request.min_count:
                count = self._reserve(session, context, parts.flavor, request)
            rows = [
                dataclasses.replace(row, admin_password_hash=password_hash)
                for row in _instances(context, request, parts, booted)[:count]
            ]
            instances.insert(session, rows)
            for network in request.networks or ():
                if network.port:
                    addresses.bind(session, network.port, rows[0].uuid, network.tag)
            if request.files:
                instances.set_files(session, [row.uuid for row in rows], request.files)
            actions.insert(session, _boot_actions(context, request, image, rows, action_ids))
            memberships = [(row.uuid, group_id) for row in rows for group_id, _ in parts.groups]
            group_members.add_members(session, memberships)
            if request.hints.group:
                self._join(session, context, request.hints.group, booted.uuids[:count])
            if request.min_count == request.max_count:
                # All of a project's boots want its counters: the row is locked last, and shortly.
                self._reserve(session, context, parts.flavor, request)
            made[:] = [dataclasses.replace(booted, instances=tuple(rows), security_groups=parts.groups)]
            return count

        def landed(session: Session) -> int | None:
            return len(actions.by_ids(session, action_ids)) or None

        count = self._database.run("server.boot", work, landed=landed)
        if count == _ALREADY:
            return self._database.read("server.booted", lambda session: _booted(session, context, token))
        self._scheduler.place(context, action_ids[:count])
        return dataclasses.replace(made[0], uuids=booted.uuids[:count])

    def _check(self, context: RequestContext, request: BootRequest) -> None:
        if not 1 <= request.min_count <= request.max_count:
            raise InvalidInput("min_count must be at least 1 and <= max_count")
        if len(request.metadata) > self._metadata_items:
            raise OverQuota(f"Maximum number of metadata items exceeds {self._metadata_items}")
        tags.checked(request.tags)
        if request.host and not context.is_admin:
            raise Forbidden("Policy doesn't allow a host to be chosen.")
        user_data.check(request.user_data)
        injected_files.check(request.files)
        _check_hints(request.hints)

    def _join(self, session: Session, context: RequestContext, group_id: str, uuids: Sequence[str]) -> None:
        """Put the instances into their server group; raises InvalidInput for one that is not, OverQuota."""
        server_groups.lock(session, [group_id])
        group = server_groups.get(session, group_id, context.project_id)
        if group is None:
            raise InvalidInput(f"Instance group {group_id} could not be found.")
        limit = quotas.effective(session, context.project_id, self._limits)["server_group_members"]
        if limit != UNLIMITED and len(group.members) + len(uuids) > limit:
            raise OverQuota("Quota exceeded, too many servers in group.")
        server_groups.add_members(session, group.uuid, uuids)

    def _with_ports(self, context: RequestContext, request: BootRequest) -> BootRequest:
        """Return the request with the networks of its ports; raises InvalidInput, Conflict for one in use."""
        wanted = [network.port for network in request.networks or () if network.port]
        if not wanted:
            return request
        if request.max_count > 1:
            raise InvalidInput("Unable to launch multiple instances with a single configured port ID.")
        try:
            found = self._database.read("boot.ports", lambda session: free_ports(session, context, wanted))
        except NotFound as error:
            raise InvalidInput(str(error)) from error
        at = {port.interface.id: port.interface.network_uuid for port in found}
        chosen = tuple(
            dataclasses.replace(network, uuid=at[network.port]) if network.port else network
            for network in request.networks or ()
        )
        if len({network.uuid for network in chosen}) < len(chosen):
            raise InvalidInput("A server has at most one interface in a network, and so at most one port.")
        return dataclasses.replace(request, networks=chosen)

    def _parts(self, session: Session, context: RequestContext, request: BootRequest, image: Image) -> _Parts:
        found = boot_parts.find(session, context, request.flavor_id, request.key_name)
        if found is None or found.flavor.disabled:
            raise InvalidInput(f"Flavor {request.flavor_id} could not be found.")
        server_images.check_fit(found.flavor, image)
        if request.key_name and found.public_key is None:
            raise InvalidInput(f"Invalid key_name provided: {request.key_name}.")
        _check_networks(session, context, request)
        injected_files.check_limits(session, context.project_id, self._limits, request.files)
        groups = _groups(session, context, request, found.default_group)
        local_disks = _local_disks(found.flavor, image, request)
        return _Parts(found.flavor, image, found.public_key, groups, local_disks)

    def _reserve(
        self, session: Session, context: RequestContext, flavor: Flavor, request: BootRequest
    ) -> int:
        """Take quota for as many instances as fit between the least and the most; returns how many."""
        count = request.max_count
        while True:
            usage = Usage(instances=count, cores=count * flavor.vcpus, ram=count * flavor.memory_mb)
            try:
                quotas.reserve(session, context.project_id, self._limits, usage)
            except OverQuota:
                if count == request.min_count:
                    raise
                count -= 1
            else:
                return count


def _booted(session: Session, context: RequestContext, token: ClientToken) -> Booted:
    """Return what a request made whose client token is used again; raises TokenMismatch for another request."""
    found = client_tokens.get(session, context.project_id, token)
    if found is None or found[0] != token.fingerprint:
        raise TokenMismatch(f"The client token {token.token} was used with other parameters.")
    page = instance_pages.Page(
        project_id=context.project_id,
        filters={"reservation_id": found[1]},
        ended_since=_EVER,
        sort=(("id", False),),
        limit=_MOST,
    )
    return Booted(found[1], tuple(row.uuid for row in instance_pages.listing(session, page)), "")


def _check_hints(hints: Hints) -> None:
    """Raise InvalidInput for a hint that no filter could read."""
    parsed_query(hints.query)
    if hints.build_near_host_ip:
        try:
            ipaddress.ip_network(hints.build_near_host_ip + hints.cidr, strict=False)
        except ValueError as error:
            raise InvalidInput("The hints build_near_host_ip and cidr are no network.") from error


def _local_disks(flavor: Flavor, image: Image, request: BootRequest) -> LocalDisks:
    """Return the disks that are wanted with their sizes; raises InvalidInput for more than the flavor has."""
    wanted = request.local_disks
    sized = (dataclasses.replace(one, size_gb=one.size_gb or flavor.ephemeral_gb) for one in wanted.ephemerals)
    ephemerals = tuple(one for one in sized if one.size_gb)
    if sum(one.size_gb for one in ephemerals) > flavor.ephemeral_gb:
        raise InvalidInput(
            "Ephemeral disks requested are larger than the instance type allows. If no size is given in one"
            " block device mapping, flavor ephemeral size will be used."
        )
    if (wanted.swap_mb or 0) > flavor.swap_mb:
        raise InvalidInput("Swap drive requested is larger than instance type allows.")
    _check_places(hardware.of(flavor.vcpus, flavor.extra_specs, image.properties), wanted, ephemerals)
    return dataclasses.replace(wanted, ephemerals=ephemerals)


def _check_places(machine: hardware.Hardware, wanted: LocalDisks, ephemerals: Sequence[EphemeralDisk]) -> None:
    """Raise InvalidInput for more ephemeral disks than their buses have places for, beside all the other disks."""
    # A config drive is plugged in as is usual.
    others = Counter(machine.bus_of(plug) for plug in (wanted.root_plug, wanted.swap_plug, hardware.AS_USUAL))
    for bus, count in Counter(machine.bus_of(disk.plug) for disk in ephemerals).items():
        if count > bus.places - others[bus]:
            raise InvalidInput(f"A server has room for {bus.places - others[bus]} ephemeral disks on its bus {bus}.")


def _check_networks(session: Session, context: RequestContext, request: BootRequest) -> None:
    for wanted in request.networks or ():
        if networks.get(session, wanted.uuid, context.scope()) is None:
            raise InvalidInput(f"Network {wanted.uuid} could not be found.")


def _groups(
    session: Session, context: RequestContext, request: BootRequest, default: str | None
) -> tuple[tuple[str, str], ...]:
    names = request.security_groups or ("default",)
    found = []
    for name in dict.fromkeys(names):
        if name == "default":
            found.append((default or security_groups.ensure_default(session, context.project_id), name))
            continue
        group = security_groups.find(session, context.project_id, name)
        if group is None:
            raise InvalidInput(f"Security group {name} not found for project {context.project_id}.")
        found.append((group.id, group.name))
    return tuple(found)


def _instances(
    context: RequestContext, request: BootRequest, parts: _Parts, booted: Booted
) -> list[Instance]:
    now = clock.now()
    several = request.max_count > 1
    rows = []
    for index, uuid in enumerate(booted.uuids):
        name = (f"{request.name}-{index + 1}" if several else request.name) if request.name else ec2_id("i", uuid)
        rows.append(
            Instance(
                id=0,
                uuid=uuid,
                project_id=context.project_id,
                user_id=context.user_id,
                display_name=name,
                hostname=_wanted_hostname(request, index) or _hostname(name, uuid),
                description=request.description,
                flavor=parts.flavor,
                image_id=parts.image.id,
                kernel_id=request.kernel_id or parts.image.kernel_id,
                ramdisk_id=request.ramdisk_id or parts.image.ramdisk_id,
                vm_state=VmState.BUILDING,
                task_state=TRANSITIONS[Verb.BOOT].task,
                power_state=PowerState.NOSTATE,
                availability_zone=request.availability_zone or None,
                pinned_zone=request.availability_zone or None,
                key_name=request.key_name or None,
                public_key=parts.public_key,
                user_data=request.user_data or None,
                metadata=request.metadata,
                tags=request.tags,
                reservation_id=booted.reservation_id,
                launch_index=index,
                config_drive=request.config_drive,
                access_ip_v4=request.access_ip_v4,
                access_ip_v6=request.access_ip_v6,
                disk_config=request.disk_config,
                local_disks=parts.local_disks,
                image_properties=hardware.kept(parts.image.properties),
                root_device_name=hardware.root_device(parts.image.properties, parts.local_disks.root_plug),
                options=request.options,
                created_at=now,
                updated_at=now,
            )
        )
    return rows


def _boot_actions(
    context: RequestContext,
    request: BootRequest,
    image: Image,
    rows: list[Instance],
    action_ids: list[str],
) -> list[Action]:
    parameters = _parameters(request, image)
    return [
        new_action(context, row, Verb.BOOT, action_id, parameters)
        for row, action_id in zip(rows, action_ids, strict=False)
    ]


def _parameters(request: BootRequest, image: Image) -> Mapping[str, Any]:
    parameters = server_images.parameters(image)
    if request.networks is not None:
        wanted = [dataclasses.asdict(network) for network in request.networks]
        parameters["networks"] = wanted or "none"
    if request.host:
        parameters["force_host"] = request.host
        parameters["is_forced"] = request.is_forced
    hints = request.hints.parameters()
    if hints:
        parameters["hints"] = hints
    return parameters


def _wanted_hostname(request: BootRequest, index: int) -> str:
    """Return the host name that a user gave, which may have a domain; each of several gets a number."""
    host, dot, domain = request.hostname.partition(".")
    numbered = f"{host[:55]}-{index + 1}" if host and request.max_count > 1 else host
    return numbered + dot + domain


def _hostname(name: str, uuid: str) -> str:
    """Derive a host name (RFC 1123, section 2.1) from a display name."""
    cleaned = _NOT_IN_HOSTNAMES.sub("-", name.lower()).strip("-")[:63].rstrip("-")
    return cleaned or f"server-{uuid}"
