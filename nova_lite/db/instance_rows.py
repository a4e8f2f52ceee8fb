"""Instances as the database has them: the table, and rows made of values and values of rows."""

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from nova_lite.core.devices import DeviceKind, GuestDevice
from nova_lite.core.hardware import DiskBus, Plug
from nova_lite.core.instance import Fault, Flavor, Instance
from nova_lite.core.instance_options import InstanceOptions
from nova_lite.core.instance_states import PowerState, TaskState, VmState
from nova_lite.core.local_disks import EphemeralDisk, LocalDisks
from nova_lite.db.base import LONG_TEXT, MYSQL, UUID, Base, JsonText


class InstanceRow(Base):
    """One instance."""

    __tablename__ = "instances"
    __table_args__ = (
        sa.Index("ix_instances_project", "deleted", "project_id", "created_at"),
        sa.Index("ix_instances_host", "deleted", "host"),
        sa.Index("ix_instances_terminated", "project_id", "terminated_at"),
        MYSQL,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[str] = mapped_column(UUID, unique=True)
    deleted: Mapped[bool] = mapped_column(default=False)
    project_id: Mapped[str] = mapped_column(sa.String(64))
    user_id: Mapped[str] = mapped_column(sa.String(64))
    display_name: Mapped[str]
    hostname: Mapped[str]
    description: Mapped[str | None]
    vm_state: Mapped[str] = mapped_column(sa.String(32))
    task_state: Mapped[str | None] = mapped_column(sa.String(32))
    power_state: Mapped[int] = mapped_column(default=0)
    host: Mapped[str | None]
    node: Mapped[str | None]
    availability_zone: Mapped[str | None]
    pinned_zone: Mapped[str | None]
    flavor: Mapped[Any] = mapped_column(JsonText)
    flavor_id: Mapped[str]
    vcpus: Mapped[int]
    memory_mb: Mapped[int]
    local_gb: Mapped[int]
    image_id: Mapped[str] = mapped_column(UUID)
    kernel_id: Mapped[str] = mapped_column(default="")
    ramdisk_id: Mapped[str] = mapped_column(default="")
    key_name: Mapped[str | None]
    public_key: Mapped[str | None] = mapped_column(LONG_TEXT)
    user_data: Mapped[str | None] = mapped_column(LONG_TEXT)
    # "metadata" is taken by the declarative base, hence the attribute's other name.
    metadata_items: Mapped[Any] = mapped_column("metadata", JsonText)
    tags: Mapped[Any] = mapped_column(JsonText)
    reservation_id: Mapped[str] = mapped_column(sa.String(32), default="", index=True)
    launch_index: Mapped[int] = mapped_column(default=0)
    root_device_name: Mapped[str] = mapped_column(default="/dev/vda")
    config_drive: Mapped[bool] = mapped_column(default=False)
    access_ip_v4: Mapped[str] = mapped_column(sa.String(39), default="")
    access_ip_v6: Mapped[str] = mapped_column(sa.String(39), default="")
    disk_config: Mapped[str] = mapped_column(sa.String(16), default="MANUAL")
    admin_password_hash: Mapped[str] = mapped_column(default="")
    password_data: Mapped[str | None] = mapped_column(sa.String(1024))
    files: Mapped[str | None] = mapped_column(LONG_TEXT)
    locked_by: Mapped[str] = mapped_column(sa.String(16), default="")
    locked_reason: Mapped[str | None]
    shelved_image_id: Mapped[str | None] = mapped_column(UUID)
    local_disks: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    devices: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    image_properties: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    fault: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    options: Mapped[Any | None] = mapped_column(JsonText, nullable=True)
    created_at: Mapped[datetime.datetime]
    updated_at: Mapped[datetime.datetime]
    launched_at: Mapped[datetime.datetime | None]
    terminated_at: Mapped[datetime.datetime | None]


TABLE = cast(sa.Table, InstanceRow.__table__)
_NAMES = tuple(TABLE.columns.keys())

_SAME = [
    "uuid", "project_id", "user_id", "display_name", "hostname", "description", "vm_state", "task_state",
    "host", "node", "availability_zone", "pinned_zone", "image_id", "kernel_id", "ramdisk_id", "key_name",
    "public_key",
    "user_data", "reservation_id", "launch_index", "root_device_name", "config_drive", "access_ip_v4",
    "access_ip_v6", "disk_config", "admin_password_hash", "locked_by", "locked_reason",
    "shelved_image_id",
    "created_at", "updated_at", "launched_at",
    "terminated_at",
]  # fmt: skip
"""Fields whose column has the same name and form."""

_PLAIN = [name for name in _SAME if name not in ("vm_state", "task_state")]
_USUAL_DISKS = LocalDisks()
_USUAL_OPTIONS = InstanceOptions()


def to_row(instance: Instance) -> dict[str, Any]:
    """Return the row of a new instance."""
    flavor = instance.flavor
    return {name: getattr(instance, name) for name in _SAME} | {
        "power_state": int(instance.power_state),
        **flavor_columns(flavor),
        "metadata": dict(instance.metadata),
        "tags": list(instance.tags),
        "local_disks": _unless_usual(instance.local_disks, _USUAL_DISKS),
        "devices": None,
        "image_properties": dict(instance.image_properties),
        "options": options_to_json(instance.options),
        "deleted": False,
    }


def flavor_columns(flavor: Flavor) -> dict[str, Any]:
    """Return the columns that a flavor fills."""
    return {
        "flavor": flavor_to_json(flavor),
        "flavor_id": flavor.id,
        "vcpus": flavor.vcpus,
        "memory_mb": flavor.memory_mb,
        "local_gb": flavor.root_gb + flavor.ephemeral_gb,
    }


def of_row(row: sa.Row[Any]) -> Instance:
    """Return the instance that a row of all columns of this table stands for."""
    return to_value(dict(zip(_NAMES, row, strict=True)))


def to_value(values: Mapping[str, Any]) -> Instance:
    """Return the instance that a row of this table, by column, stands for."""
    task = values["task_state"]
    return Instance(
        **{name: values[name] for name in _PLAIN},
        id=values["id"],
        flavor=Flavor(**values["flavor"]),
        vm_state=VmState(values["vm_state"]),
        task_state=TaskState(task) if task else None,
        power_state=PowerState(values["power_state"]),
        metadata=values["metadata"] or {},
        tags=tuple(values["tags"]),
        fault=_fault_from_json(values["fault"]),
        local_disks=_disks_from_json(values["local_disks"]),
        devices=_devices_from_json(values["devices"] or ()),
        image_properties=values["image_properties"] or {},
        options=_options_from_json(values["options"]),
    )


def flavor_to_json(flavor: Flavor) -> dict[str, Any]:
    """Return a flavor as its copies are kept."""
    return dataclasses.asdict(flavor) | {"extra_specs": dict(flavor.extra_specs)}


def options_to_json(options: InstanceOptions) -> dict[str, Any] | None:
    """Return an instance's options as they are kept: nothing for the usual ones."""
    return _unless_usual(options, _USUAL_OPTIONS)


def _unless_usual(value: Any, usual: Any) -> dict[str, Any] | None:
    """Return a value as it is kept: nothing for the usual one, which needs not be read then."""
    return None if value == usual else dataclasses.asdict(value)


def _disks_from_json(document: Mapping[str, Any] | None) -> LocalDisks:
    """Return the disks that were kept; older rows have the size of the one ephemeral disk that there could be."""
    if document is None:
        return _USUAL_DISKS
    kept = document.get("ephemerals")
    if kept is None:
        size = document.get("ephemeral_gb")
        kept = [{"size_gb": size}] if size else []
    return LocalDisks(
        tuple(EphemeralDisk(**{**disk, "plug": _plug_from_json(disk.get("plug"))}) for disk in kept),
        document.get("swap_mb"), document.get("swap_tag", ""), document.get("root_tag", ""),
        _plug_from_json(document.get("swap_plug")), _plug_from_json(document.get("root_plug")),
    )  # fmt: skip


def _plug_from_json(document: Mapping[str, Any] | None) -> Plug:
    """Return how a disk is plugged in; older rows do not say."""
    if document is None:
        return Plug()
    return Plug(DiskBus(document["bus"]) if document["bus"] else None, document["is_cd"])


def _devices_from_json(document: Sequence[Mapping[str, str]]) -> tuple[GuestDevice, ...]:
    return tuple(GuestDevice(**{**device, "kind": DeviceKind(device["kind"])}) for device in document)  # type: ignore[arg-type]


def _options_from_json(document: Any) -> InstanceOptions:
    if not document:
        return _USUAL_OPTIONS
    kept = dict(document)
    trusted = tuple(kept.pop("trusted_certificates", ()))
    return InstanceOptions(**kept, trusted_certificates=trusted)


def fault_to_json(fault: Fault) -> dict[str, Any]:
    """Return a fault as it is kept."""
    return dataclasses.asdict(fault) | {"created_at": fault.created_at.isoformat()}


def _fault_from_json(document: Any) -> Fault | None:
    if document is None:
        return None
    return Fault(**(document | {"created_at": datetime.datetime.fromisoformat(document["created_at"])}))
