"""The actions on volumes and snapshots, of which there are none: rows of THE table."""

from nova_lite.api.ec2 import volumes
from nova_lite.api.ec2.call import Action
from nova_lite.api.ec2.query import CLIENT_TOKEN, FILTERS, PAGE, TAG_SPECIFICATIONS, Flag, Number, Text, ids
from nova_lite.api.ec2.roles import ALL, SYSTEM

_VOLUME = Text("VolumeId", required=True)

ROWS = (
    Action(
        "DescribeVolumes", volumes.no_volumes, ALL, "List volumes.", (ids("VolumeId"), FILTERS, *PAGE),
        volumes.VOLUMES,
    ),
    Action(
        "DescribeVolumeStatus", volumes.no_volumes, ALL, "List how volumes do.", (ids("VolumeId"), FILTERS, *PAGE),
        volumes.VOLUME_STATUSES,
    ),
    Action(
        "DescribeVolumesModifications", volumes.no_volumes, ALL, "List changes of volumes.",
        (ids("VolumeId"), FILTERS, *PAGE), volumes.MODIFICATIONS,
    ),
    Action(
        "DescribeVolumeAttribute", volumes.no_such_volume, ALL, "Show one attribute of a volume.",
        (_VOLUME, Text("Attribute", required=True)),
    ),
    Action(
        "CreateVolume", volumes.refuse_volumes, SYSTEM, "Make a volume.",
        (Text("AvailabilityZone"), Text("AvailabilityZoneId"), Number("Size"), Text("SnapshotId"),
         Text("VolumeType"), Number("Iops"), Number("Throughput"), Flag("Encrypted"), Text("KmsKeyId"),
         Flag("MultiAttachEnabled"), Text("OutpostArn"), CLIENT_TOKEN, TAG_SPECIFICATIONS),
    ),
    Action("DeleteVolume", volumes.no_such_volume, SYSTEM, "Remove a volume.", (_VOLUME,)),
    Action(
        "AttachVolume", volumes.no_such_volume, SYSTEM, "Give an instance a volume.",
        (_VOLUME, Text("InstanceId", required=True), Text("Device")),
    ),
    Action(
        "DetachVolume", volumes.no_such_volume, SYSTEM, "Take a volume from an instance.",
        (_VOLUME, Text("InstanceId"), Text("Device"), Flag("Force")),
    ),
    Action(
        "ModifyVolume", volumes.no_such_volume, SYSTEM, "Change a volume.",
        (_VOLUME, Number("Size"), Text("VolumeType"), Number("Iops"), Number("Throughput"),
         Flag("MultiAttachEnabled")),
    ),
    Action(
        "DescribeSnapshots", volumes.no_snapshots, ALL, "List snapshots of volumes.",
        (ids("SnapshotId"), ids("Owner"), ids("RestorableBy"), FILTERS, *PAGE), volumes.SNAPSHOTS,
    ),
    Action(
        "DescribeSnapshotAttribute", volumes.no_such_snapshot, ALL, "Show one attribute of a snapshot.",
        (Text("SnapshotId", required=True), Text("Attribute", required=True)),
    ),
    Action(
        "CreateSnapshot", volumes.no_such_volume, SYSTEM, "Make a snapshot of a volume.",
        (_VOLUME, Text("Description"), Text("OutpostArn"), Text("Location"), TAG_SPECIFICATIONS),
    ),
    Action(
        "DeleteSnapshot", volumes.no_such_snapshot, SYSTEM, "Remove a snapshot.",
        (Text("SnapshotId", required=True),),
    ),
    Action(
        "CopySnapshot", volumes.no_such_source, SYSTEM, "Make another snapshot of a snapshot.",
        (Text("SourceSnapshotId", required=True), Text("SourceRegion", required=True), Text("Description"),
         Text("DestinationRegion"), Text("DestinationOutpostArn"), Text("DestinationAvailabilityZone"),
         Number("CompletionDurationMinutes"), Flag("Encrypted"), Text("KmsKeyId"), Text("PresignedUrl"),
         TAG_SPECIFICATIONS),
    ),
)  # fmt: skip
