"""Who may do what to buckets and objects beyond the projects that own them: access control lists."""

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nova_lite.core.context import RequestContext
from nova_lite.objectstore import xml
from nova_lite.objectstore.errors import S3Error

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
_GROUPS = (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY)
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"
_MOST_GRANTS = 100


class Permission(enum.StrEnum):
    """What a grant allows."""

    READ = "READ"
    WRITE = "WRITE"
    READ_ACP = "READ_ACP"
    WRITE_ACP = "WRITE_ACP"
    FULL_CONTROL = "FULL_CONTROL"


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """A permission of a project (by id) or of one of S3's groups (by URI)."""

    grantee: str
    permission: Permission

    @property
    def is_group(self) -> bool:
        """Whether the grantee is a group."""
        return self.grantee in _GROUPS

    def covers(self, context: RequestContext | None, *, speaks: bool) -> bool:
        """Tell whether the caller is in the grantee; only one who ``speaks`` for its project is that project."""
        if self.grantee == ALL_USERS:
            return True
        if context is None:
            return False
        return self.grantee == AUTHENTICATED_USERS or (speaks and self.grantee == context.project_id)


Acl = tuple[Grant, ...]

_CANNED_GROUPS: Mapping[str, Sequence[tuple[str, Permission]]] = {
    "private": (),
    "public-read": ((ALL_USERS, Permission.READ),),
    "public-read-write": ((ALL_USERS, Permission.READ), (ALL_USERS, Permission.WRITE)),
    "authenticated-read": ((AUTHENTICATED_USERS, Permission.READ),),
    "log-delivery-write": ((LOG_DELIVERY, Permission.WRITE), (LOG_DELIVERY, Permission.READ_ACP)),
    "aws-exec-read": (),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
}
_BUCKET_OWNERS = {
    "bucket-owner-read": Permission.READ,
    "bucket-owner-full-control": Permission.FULL_CONTROL,
}
_GRANT_HEADERS = {
    "x-amz-grant-read": Permission.READ,
    "x-amz-grant-write": Permission.WRITE,
    "x-amz-grant-read-acp": Permission.READ_ACP,
    "x-amz-grant-write-acp": Permission.WRITE_ACP,
    "x-amz-grant-full-control": Permission.FULL_CONTROL,
}


def allows(acl: Acl, context: RequestContext | None, permission: Permission, *, speaks: bool) -> bool:
    """Tell whether a grant lets the caller do it."""
    return any(
        grant.permission in (permission, Permission.FULL_CONTROL) and grant.covers(context, speaks=speaks)
        for grant in acl
    )


def canned(name: str, owner: str, bucket_owner: str) -> Acl:
    """Return the list that a canned name stands for; raises S3Error for an unknown one."""
    if name not in _CANNED_GROUPS:
        raise S3Error("InvalidArgument", f"There is no canned ACL {name}.", ArgumentName="x-amz-acl")
    grants = [Grant(owner, Permission.FULL_CONTROL)]
    grants += [Grant(group, permission) for group, permission in _CANNED_GROUPS[name]]
    if name in _BUCKET_OWNERS and bucket_owner != owner:
        grants.append(Grant(bucket_owner, _BUCKET_OWNERS[name]))
    return tuple(grants)


def of_headers(headers: Mapping[str, str], owner: str, bucket_owner: str) -> Acl:
    """Return the list that a request's headers ask for, the private one where they ask for none."""
    granted = [name for name in _GRANT_HEADERS if name in headers]
    if granted and "x-amz-acl" in headers:
        raise S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if not granted:
        return canned(headers.get("x-amz-acl", "private"), owner, bucket_owner)
    return _limited(
        Grant(_grantee(*one.strip().partition("=")[::2]), _GRANT_HEADERS[name])
        for name in granted
        for one in headers[name].split(",")
    )


def asks(headers: Mapping[str, str]) -> bool:
    """Tell whether a request's headers say anything of access."""
    return "x-amz-acl" in headers or any(name in headers for name in _GRANT_HEADERS)


def of_document(body: bytes, owner: str) -> Acl:
    """Return the list of a document; raises S3Error."""
    try:
        policy = xml.parse(body, "AccessControlPolicy")
        owner_element, grants = policy.find("Owner"), policy.find("AccessControlList")
        if owner_element is not None and owner_element.value("ID", owner) != owner:
            raise S3Error("AccessDenied", "The owner of an ACL cannot be changed.")
        found = grants.all("Grant") if grants is not None else []
        return _limited(_grant_of(one) for one in found)
    except (xml.Malformed, ValueError) as error:
        raise S3Error("MalformedACLError") from error


def _limited(grants: Iterable[Grant]) -> Acl:
    found = tuple(dict.fromkeys(grants))
    if len(found) > _MOST_GRANTS:
        raise S3Error("InvalidRequest", f"An ACL has at most {_MOST_GRANTS} grants.")
    return found


def _grant_of(element: xml.Element) -> Grant:
    grantee = element.find("Grantee")
    if grantee is None:
        raise xml.Malformed("A grant has no grantee.")
    kind = grantee.attribute("type")
    name = {"Group": "uri", "AmazonCustomerByEmail": "emailAddress"}.get(kind, "id")
    value = grantee.value({"uri": "URI", "id": "ID"}.get(name, "EmailAddress"))
    return Grant(_grantee(name, value), Permission(element.require("Permission")))


def _grantee(kind: str, value: str) -> str:
    """Return a project's id or a group's URI; raises S3Error."""
    value = value.strip().strip('"')
    if kind.strip() == "uri" and value in _GROUPS:
        return value
    if kind.strip() == "id" and value and value not in _GROUPS and len(value) <= 64:
        return value
    if kind.strip() == "emailAddress":
        raise S3Error("NotImplemented", "Grants by e-mail address are not supported.")
    raise S3Error("InvalidArgument", "Invalid id or group of a grantee.", ArgumentValue=value)


def dump(acl: Acl) -> list[list[str]]:
    """Return the form in which a list is kept."""
    return [[grant.grantee, grant.permission.value] for grant in acl]


def load(kept: Any) -> Acl:
    """Return a list that was kept."""
    return tuple(Grant(grantee, Permission(permission)) for grantee, permission in kept or ())


def document(acl: Acl, owner: str, owner_name: str) -> bytes:
    """Return the document that tells a list."""
    grants = [
        ("Grant", [_grantee_field(grant, owner, owner_name), ("Permission", grant.permission.value)])
        for grant in acl
    ]
    return xml.document(
        "AccessControlPolicy",
        [("Owner", [("ID", owner), ("DisplayName", owner_name)]), ("AccessControlList", grants)],
    )


def _grantee_field(grant: Grant, owner: str, owner_name: str) -> tuple[str, Any]:
    kind = "Group" if grant.is_group else "CanonicalUser"
    name = f'Grantee xmlns:xsi="{_SCHEMA}" xsi:type="{kind}"'
    if grant.is_group:
        return name, [("URI", grant.grantee)]
    shown = owner_name if grant.grantee == owner else grant.grantee
    return name, [("ID", grant.grantee), ("DisplayName", shown)]
