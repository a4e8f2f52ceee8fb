"""Uploads from a page's form: a policy that somebody signed says what anybody who holds it may upload."""

import base64
import binascii
import collections
import dataclasses
import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import webob
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from nova_lite.core import clock, signatures
from nova_lite.core.objects import ObjectVersion
from nova_lite.objectstore import buckets, metadata, objects, signing, tags, xml
from nova_lite.objectstore.access import Permission
from nova_lite.objectstore.authentication import Caller, signer_of
from nova_lite.objectstore.call import Call, answer, document
from nova_lite.objectstore.errors import S3Error
from nova_lite.objectstore.request import S3Request
from nova_lite.objectstore.stream import Stream

_PIECE = 256 * 1024
_MOST_FIELD_BYTES = 64 * 1024
_MOST_FIELDS = 1000
_NOT_IN_POLICY = {
    "file", "policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-algorithm", "x-amz-credential",
    "x-amz-date", "x-amz-security-token",
}  # fmt: skip


class Form:
    """A form as it comes: its fields first, then its file, which is never whole in memory."""

    def __init__(self, request: S3Request) -> None:
        kind, options = parse_options_header(request.header("content-type"))
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise S3Error("MalformedPOSTRequest")
        self.fields: dict[str, str] = {}
        self.file_name = self.file_type = ""
        self._stream = Stream(request.http.environ)
        self._headers: dict[bytes, bytes] = {}
        self._header_name = self._header_text = b""
        self._field = b""
        self._name = ""
        self._in_file = self._file_over = False
        self._pieces: collections.deque[bytes] = collections.deque()
        names = (
            "part_begin", "part_data", "part_end", "header_begin", "header_field", "header_value", "header_end",
            "headers_finished",
        )  # fmt: skip
        callbacks: Any = {f"on_{name}": getattr(self, f"_{name}") for name in names}
        self._parser = MultipartParser(options[b"boundary"], callbacks)

    def read_fields(self) -> None:
        """Read up to the file; raises S3Error where there is none."""
        while not self._in_file:
            if not self._feed():
                raise S3Error("InvalidArgument", "POST requires exactly one file upload per request.")

    def file(self) -> Iterator[bytes]:
        """Yield the file."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._file_over:
                break
            if not self._feed():
                raise S3Error("IncompleteBody")
        # What follows the file is not looked at, as S3 has it.
        while self._stream.read(_PIECE):
            pass

    def _feed(self) -> bool:
        found = self._stream.read(_PIECE)
        try:
            if found and not self._file_over:
                self._parser.write(found)
        except FormParserError as error:
            raise S3Error("MalformedPOSTRequest") from error
        return bool(found)

    def _part_begin(self) -> None:
        self._headers, self._field = {}, b""

    def _header_begin(self) -> None:
        self._header_name = self._header_text = b""

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_text += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header_name.lower()] = self._header_text

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._name.lower() == "file" and not self._file_over:
            self._in_file = True
            self.file_name = options.get(b"filename", b"").decode("utf-8", "replace")
            self.file_type = self._headers.get(b"content-type", b"").decode("latin-1")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file and not self._file_over:
            self._pieces.append(data[start:end])
            return
        self._field += data[start:end]
        if len(self._field) + sum(map(len, self.fields.values())) > _MOST_FIELD_BYTES:
            raise S3Error("MaxMessageLengthExceeded", "The fields of the form are too long.")

    def _part_end(self) -> None:
        if self._in_file:
            self._file_over = True
            return
        if len(self.fields) >= _MOST_FIELDS:
            raise S3Error("MaxMessageLengthExceeded", "There are too many fields in the form.")
        try:
            self.fields[self._name.lower()] = self._field.decode()
        except UnicodeDecodeError as error:
            raise S3Error("MalformedPOSTRequest") from error


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """How many bytes the file may have."""

    least: int
    most: int


def post_object(call: Call) -> webob.Response:
    """Store the file of a form."""
    form = Form(call.request)
    form.read_fields()
    fields = dict(form.fields)
    key = fields.get("key", "").replace("${filename}", form.file_name)
    if not key:
        raise S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.", ArgumentName="key")
    caller, bounds = _authorise(call, fields | {"key": key})
    headers = {name: value for name, value in {"content-type": form.file_type, **fields}.items() if value}
    headers["x-amz-acl"] = fields.get("acl", "") or "private"
    request = dataclasses.replace(call.request, key=key, headers=headers)
    call = dataclasses.replace(call, request=request, caller=caller)
    kept = _store(call, form, bounds)
    return _told(call, kept, fields)


def _authorise(call: Call, fields: Mapping[str, str]) -> tuple[Caller, Bounds]:
    """Return who signed the form's policy, or nobody, and how long the file may be; raises S3Error."""
    caller, bounds = Caller(), Bounds(0, call.settings.put_cap)
    if "policy" in fields:
        caller = _signer(call, fields)
        bounds = _check_policy(call, fields, bounds)
    bucket = call.bucket
    signed = dataclasses.replace(call, caller=caller)
    signed.require(bucket.owner, buckets.acl_of(bucket), Permission.WRITE, "PutObject")
    return caller, bounds


def _signer(call: Call, fields: Mapping[str, str]) -> Caller:
    policy = fields["policy"]
    if "x-amz-signature" in fields:
        proof = signatures.version_4(fields.get("x-amz-credential", ""), "host", fields["x-amz-signature"])
        if proof is None or fields.get("x-amz-algorithm") != signatures.ALGORITHM:
            raise S3Error("InvalidArgument", "The credential of the form is malformed.")
        signer = signer_of(call.find_signer, proof.access)
        expected, given = signatures.sign_4(signer.secret, proof.scope, policy), proof.signature
    else:
        signer = signer_of(call.find_signer, fields.get("awsaccesskeyid", ""))
        expected, given = signing.signature_2(signer.secret, policy), fields.get("signature", "")
    if not signing.same(expected, given):
        raise S3Error("SignatureDoesNotMatch")
    return Caller(signer.info.context(""))


def _check_policy(call: Call, fields: Mapping[str, str], bounds: Bounds) -> Bounds:
    """Raise S3Error unless the form meets every condition, and every field, and the bucket, has one."""
    try:
        policy = json.loads(base64.b64decode(fields["policy"]))
        expires = datetime.datetime.fromisoformat(str(policy["expiration"]))
        conditions = [_plain(one) for one in policy["conditions"]]
    except (binascii.Error, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise S3Error(
            "InvalidPolicyDocument", "Invalid Policy: it is not the JSON that it must be."
        ) from error
    if expires.replace(tzinfo=expires.tzinfo or datetime.UTC) < clock.now().replace(tzinfo=datetime.UTC):
        raise S3Error("AccessDenied", "Invalid according to Policy: Policy expired.")
    values = {**fields, "bucket": call.bucket.name}
    seen = set()
    for kind, name, value in conditions:
        if kind == "content-length-range":
            bounds = Bounds(int(name), min(int(value), bounds.most))
            continue
        seen.add(name)
        given = values.get(name, "")
        if not (given.startswith(value) if kind == "starts-with" else given == value):
            failed = f'["{kind}", "${name}", "{value}"]'
            raise S3Error("AccessDenied", f"Invalid according to Policy: Policy Condition failed: {failed}")
    extra = {
        name
        for name, value in values.items()
        if value and name not in seen | _NOT_IN_POLICY and not name.startswith("x-ignore-")
    }
    if extra:
        raise S3Error(
            "AccessDenied", f"Invalid according to Policy: Extra input fields: {', '.join(sorted(extra))}"
        )
    return bounds


def _plain(condition: Any) -> tuple[str, str, str]:
    """Return a condition as its kind, the field's name and the value; raises ValueError."""
    if isinstance(condition, dict):
        ((name, value),) = condition.items()
        return "eq", str(name).lower(), str(value)
    kind, name, value = condition
    kind = str(kind).lower()
    if kind == "content-length-range":
        return kind, str(int(name)), str(int(value))
    if kind not in ("eq", "starts-with") or not str(name).startswith("$"):
        raise ValueError(condition)
    return kind, str(name)[1:].lower(), str(value)


def _store(call: Call, form: Form, bounds: Bounds) -> ObjectVersion:
    details = metadata.new_details(call)
    if "tagging" in form.fields:
        details["tags"] = _tags(form.fields["tagging"])
    md5 = hashlib.md5(usedforsecurity=False)

    def measured() -> Iterator[bytes]:
        size = 0
        for chunk in form.file():
            size += len(chunk)
            if size > bounds.most:
                raise S3Error("EntityTooLarge", MaxSizeAllowed=str(bounds.most))
            md5.update(chunk)
            yield chunk
        if size < bounds.least:
            raise S3Error("EntityTooSmall", ProposedSize=str(size), MinSizeAllowed=str(bounds.least))

    segment = call.store.write(measured(), call.store.room(call.bucket.owner))
    new = ObjectVersion(call.bucket.name, call.request.key, md5.hexdigest(), (segment,), clock.now(), details)
    return objects.commit(call, new)


def _tags(text: str) -> dict[str, str]:
    try:
        return tags.of_document(xml.parse(text.encode(), "Tagging"), tags.MOST_OF_OBJECT)
    except xml.Malformed as error:
        raise S3Error("MalformedXML") from error


def _told(call: Call, kept: ObjectVersion, fields: Mapping[str, str]) -> webob.Response:
    location = f"{call.request.http.host_url}/{kept.bucket}/{signatures.quote(kept.key, '/')}"
    headers = {"ETag": f'"{kept.etag}"', "Location": location, **metadata.version_header(call, kept)}
    redirect = fields.get("success_action_redirect") or fields.get("redirect", "")
    if redirect.startswith(("http://", "https://")) and redirect.isprintable():
        joint = "&" if "?" in redirect else "?"
        query = f"bucket={kept.bucket}&key={signatures.quote(kept.key)}&etag=%22{kept.etag}%22"
        return answer(303, headers | {"Location": f"{redirect}{joint}{query}"})
    status = fields.get("success_action_status", "")
    if status == "201":
        told = [
            ("Location", location),
            ("Bucket", kept.bucket),
            ("Key", kept.key),
            ("ETag", f'"{kept.etag}"'),
        ]
        return document("PostResponse", told, headers, 201)
    return answer(200 if status == "200" else 204, headers)
