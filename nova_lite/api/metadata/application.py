"""The metadata service: tells a guest, known by its address, about itself and nobody else."""

import contextlib
import socket
from collections.abc import Iterable, Mapping
from typing import Any

import webob

from nova_lite import wsgi_server
from nova_lite.api.app import CLOUD
from nova_lite.api.call import CONF
from nova_lite.api.errors import HttpError
from nova_lite.api.metadata import callers
from nova_lite.core import metadata_openstack as openstack
from nova_lite.core import metadata_tree as tree
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.metadata import InstanceMetadata

_LONGEST_BODY = 4096
_TOKEN = "X-aws-ec2-metadata-token"
_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN_PATH = ["latest", "api", "token"]


class MetadataApplication:
    """Serves the EC2 tree and the /openstack tree."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = webob.Request(environ)
        parts = [part for part in request.path_info.split("/") if part]
        response = webob.Response(content_type="text/plain", charset="UTF-8")
        if request.method == "PUT" and parts == _TOKEN_PATH:
            response.text = _issue(request)
            response.headers[_TTL] = request.headers[_TTL]
        elif request.method == "POST" and len(parts) == 3 and parts[::2] == ["openstack", openstack.PASSWORD]:
            _tell_password(request, parts[1])
        elif request.method in ("GET", "HEAD"):
            response.body = _find(request, parts)
        else:
            raise HttpError(405, f"The method {request.method} is not allowed.")
        return response(environ, start_response)


def _find(request: webob.Request, parts: list[str]) -> bytes:
    data = _instance(request)
    if parts[:1] == ["openstack"]:
        return _of_openstack(data, parts[1:])
    _check_token(request, data)
    if not parts:
        return ("\n".join(tree.VERSIONS) + "\nlatest\n").encode()
    if parts[0] not in (*tree.VERSIONS, "latest"):
        raise NotFound()
    found = tree.find(tree.ec2_tree(data), parts[1:])
    if found is None:
        raise NotFound()
    text = tree.listing(found) if isinstance(found, Mapping) else found
    return text.encode("utf-8", "surrogateescape")


def _of_openstack(data: InstanceMetadata, parts: list[str]) -> bytes:
    if not parts:
        return "\n".join((*openstack.VERSIONS, openstack.LATEST)).encode()
    if parts[0] == openstack.CONTENT:
        content = openstack.contents(data).get(parts[1]) if len(parts) == 2 else None
    elif not openstack.has_version(parts[0]) or len(parts) > 2:
        raise NotFound()
    elif len(parts) == 1:
        return "\n".join(openstack.names(data, parts[0])).encode()
    else:
        content = openstack.file(data, parts[0], parts[1])
    if content is None:
        raise NotFound()
    return content


def _issue(request: webob.Request) -> str:
    """Return a new token of the instance that asks."""
    callers.require_direct(request)
    data = _instance(request)
    try:
        seconds = int(request.headers.get(_TTL, ""))
    except ValueError as error:
        raise InvalidInput(f"The header {_TTL} says for how many seconds a token is to live.") from error
    token: str = request.environ[CLOUD].metadata_tokens.issue(data.instance.uuid, seconds)
    _limit_hops(request, data.instance.options.hop_limit)
    return token


def _limit_hops(request: webob.Request, limit: int) -> None:
    """Let the answer pass no more routers than the instance's owner wants, where the connection is the guest's own."""
    connection = wsgi_server.connection_of(request.environ)
    if not limit or connection is None or request.environ[CONF].use_forwarded_for:
        return
    # An operator's own limit for all may be less, but the kernel knows only one.
    most = request.environ[CONF].metadata_hop_limit
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, min(limit, most or limit))


def _check_token(request: webob.Request, data: InstanceMetadata) -> None:
    """Raise HttpError (401) for a token that is not the instance's, and for none where one is required."""
    token = request.headers.get(_TOKEN)
    required = request.environ[CONF].metadata_tokens == "required" or data.instance.options.metadata_tokens
    if token is None and not required:
        return
    if token is None or not request.environ[CLOUD].metadata_tokens.holds(token, data.instance.uuid):
        raise HttpError(401, f"A valid {_TOKEN} is needed: PUT /latest/api/token gives one.")


def _tell_password(request: webob.Request, version: str) -> None:
    """Keep the password that a guest tells of itself."""
    if not openstack.has_version(version):
        raise NotFound()
    if (request.content_length or 0) > _LONGEST_BODY:
        raise HttpError(413, "The password is too long.")
    try:
        encrypted = request.body_file.read(_LONGEST_BODY).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise HttpError(400, "The password is not encrypted: it is not ASCII text.") from error
    request.environ[CLOUD].metadata.tell_password(callers.address_of(request), encrypted)


def _instance(request: webob.Request) -> InstanceMetadata:
    """Return the instance that asks; raises NotFound for an address that is nobody's."""
    address = callers.address_of(request)
    data: InstanceMetadata = request.environ[CLOUD].metadata.of_address(address)
    return data


def app_factory(global_conf: dict[str, str]) -> MetadataApplication:
    """Build the application for a paste file."""
    return MetadataApplication()
