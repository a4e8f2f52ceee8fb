"""What clients ask of a bucket although this store does not have it: the answer that there is none."""

from collections.abc import Callable, Mapping

import webob

from nova_lite.objectstore.call import Call, document
from nova_lite.objectstore.errors import S3Error

ABSENT: Mapping[str, str] = {
    "encryption": "ServerSideEncryptionConfigurationNotFoundError",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "ownershipControls": "OwnershipControlsNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "policyStatus": "NoSuchBucketPolicy",
    "publicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "replication": "ReplicationConfigurationNotFoundError",
    "website": "NoSuchWebsiteConfiguration",
}
"""Sub-resources of a bucket that are not there, with the code that says so."""

EMPTY: Mapping[str, str] = {
    "accelerate": "AccelerateConfiguration",
    "logging": "BucketLoggingStatus",
    "notification": "NotificationConfiguration",
}
"""Sub-resources of a bucket that are there and say nothing, with their document's name."""

REFUSED = (
    "abac", "analytics", "annotation", "intelligent-tiering", "inventory", "metadataAnnotationTable",
    "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable", "metadataTable", "metrics",
    "renameObject", "restore", "select", "session", "torrent",
)  # fmt: skip
"""Sub-resources that are refused whatever is asked of them."""


def absent(name: str) -> Callable[[Call], webob.Response]:
    """Return the function that says that a sub-resource is not there."""

    def tell(call: Call) -> webob.Response:
        raise S3Error(ABSENT[name], BucketName=call.bucket.name)

    return tell


def empty(name: str) -> Callable[[Call], webob.Response]:
    """Return the function that tells a sub-resource with nothing in it."""
    return lambda call: document(EMPTY[name], [])


def payer(call: Call) -> webob.Response:
    """Say that the owner pays for requests."""
    return document("RequestPaymentConfiguration", [("Payer", "BucketOwner")])


def unlocked(call: Call) -> webob.Response:
    """Say that an object has no lock."""
    raise S3Error("NoSuchObjectLockConfiguration", Key=call.request.key)


def refuse(call: Call) -> webob.Response:
    """Say that this cannot be done here."""
    raise S3Error("NotImplemented")
