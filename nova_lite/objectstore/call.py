"""A request as an operation's function sees it, and the answers that these give."""

import dataclasses
import datetime
import email.utils
from collections.abc import Callable, Iterable, Mapping

import webob

from nova_lite.core.context import RequestContext
from nova_lite.core.objects import Bucket
from nova_lite.drivers.object.base import ObjectStore
from nova_lite.objectstore import access, xml
from nova_lite.objectstore.authentication import Caller, FindSigner
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.payload import Payload
from nova_lite.objectstore.request import S3Request

NOBODY = "anonymous"


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can set: the region's name, the domain of buckets' host names, the largest put."""

    region: str = "RegionOne"
    domain: str = ""
    put_cap: int = 5 * 1024**3


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One request, read and authorised. ``found`` is its bucket, where it names one that is there."""

    request: S3Request
    caller: Caller
    store: ObjectStore
    settings: Settings
    find_signer: FindSigner
    may: Callable[[RequestContext, str, str], bool]
    found: Bucket | None = None

    @property
    def bucket(self) -> Bucket:
        """The bucket; raises S3Error where there is none."""
        if self.found is None:
            raise S3Error("NoSuchBucket", BucketName=self.request.bucket)
        return self.found

    @property
    def project_id(self) -> str:
        """Who owns what the caller makes."""
        return self.caller.context.project_id if self.caller.context else NOBODY

    @property
    def project_name(self) -> str:
        """How the caller's project is shown."""
        return self.caller.context.project_name if self.caller.context else NOBODY

    def payload(self, algorithm: str = "") -> Payload:
        """Return the body, with a checksum of ``algorithm`` if any; raises S3Error for what its headers say."""
        return Payload(self.request, self.caller, algorithm=algorithm)

    def require(self, owner: str, acl: access.Acl, permission: access.Permission, rule: str) -> None:
        """Raise S3Error unless the caller is of the owner's project, with the role for it, or is granted it."""
        context = self.caller.context
        if context is not None and self.may(context, f"s3:{rule}", owner):
            return
        # What was granted to a project is for those whose role in it would let them do the same to its own.
        speaks = context is not None and self.may(context, f"s3:{rule}", context.project_id)
        if not access.allows(acl, context, permission, speaks=speaks):
            raise S3Error("AccessDenied")


def answer(
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    stream: Iterable[bytes] | None = None,
) -> webob.Response:
    """Return an answer; one with a stream says its length in the headers."""
    response = webob.Response(status=status)
    response.headers.pop("Content-Type", None)
    response.headers.pop("Content-Length", None)
    if stream is not None:
        # It forgets the length, and so comes before the headers.
        response.app_iter = stream
    for name, value in (headers or {}).items():
        response.headers[name] = value
    if stream is None and (body or (status not in (204, 304) and "Content-Length" not in response.headers)):
        response.body = body
    return response


def document(
    name: str, fields: xml.Fields, headers: Mapping[str, str] | None = None, status: int = 200
) -> webob.Response:
    """Return an answer that is a document."""
    typed = {"Content-Type": "application/xml", **(headers or {})}
    return answer(status, typed, xml.document(name, fields))


def owner_fields(owner: str, name: str) -> list[tuple[str, str]]:
    """Return the elements that tell who owns something."""
    return [("ID", owner), ("DisplayName", name)]


def stamp(moment: datetime.datetime) -> str:
    """Return a moment as documents tell it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def http_date(moment: datetime.datetime) -> str:
    """Return a moment as headers tell it."""
    return email.utils.format_datetime(moment.replace(tzinfo=datetime.UTC), usegmt=True)


def read_document(call: Call, root: str, *, of_object: bool = False) -> xml.Element:
    """Return the document in a request's body, whose checksum may be ``of_object`` instead; raises S3Error."""
    try:
        return xml.parse(Payload(call.request, call.caller, of_object=of_object).document(), root)
    except xml.Malformed as error:
        raise S3Error("MalformedXML") from error
