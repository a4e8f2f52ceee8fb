"""Volumes and snapshots: this cloud has none, as a region in which nobody made any."""

from nova_lite.api.ec2 import ids
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import unsupported
from nova_lite.api.ec2.paging import Listed, shape
from nova_lite.api.ec2.xml import Shape

VOLUMES = shape("volumeSet", Shape())
VOLUME_STATUSES = shape("volumeStatusSet", Shape())
MODIFICATIONS = shape("volumeModificationSet", Shape())
SNAPSHOTS = shape("snapshotSet", Shape())


def no_volumes(call: Ec2Call) -> Listed:
    """List no volumes; raises Ec2Error for one that is named."""
    _none_named(call, call.list("VolumeId"))
    return Listed(())


def no_snapshots(call: Ec2Call) -> Listed:
    """List no snapshots; raises Ec2Error for one that is named."""
    wanted = call.list("SnapshotId")
    ids.starts(wanted, "InvalidSnapshotID", "snap")
    if wanted:
        raise ids.not_found("InvalidSnapshot", "snapshot", wanted)
    return Listed(())


def no_such_volume(call: Ec2Call) -> None:
    """Say that a volume is not there."""
    _none_named(call, [call.get("VolumeId")])


def no_such_snapshot(call: Ec2Call) -> None:
    """Say that a snapshot is not there."""
    _no_snapshot(call.get("SnapshotId"))


def no_such_source(call: Ec2Call) -> None:
    """Say that a snapshot is not there of which another is to be made."""
    _no_snapshot(call.get("SourceSnapshotId"))


def _no_snapshot(identifier: str) -> None:
    ids.starts([identifier], "InvalidSnapshotID", "snap")
    raise ids.not_found("InvalidSnapshot", "snapshot", [identifier])


def refuse_volumes(call: Ec2Call) -> None:
    """Say that no volumes can be made."""
    raise unsupported("There are no volumes in this cloud.")


def _none_named(call: Ec2Call, wanted: list[str]) -> None:
    ids.starts(wanted, "InvalidVolumeID", "vol")
    if wanted:
        raise ids.not_found("InvalidVolume", "volume", wanted)
