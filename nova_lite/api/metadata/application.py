"""The metadata service: tells a guest, known by its address, about itself and nobody else."""

from collections.abc import Iterable, Mapping
from typing import Any

import webob

from nova_lite.api.app import CLOUD
from nova_lite.api.call import CONF
from nova_lite.api.errors import HttpError
from nova_lite.core import metadata_openstack as openstack
from nova_lite.core import metadata_tree as tree
from nova_lite.core.errors import NotFound
from nova_lite.core.metadata import InstanceMetadata

_LONGEST_BODY = 4096


class MetadataApplication:
    """Serves the EC2 tree and the /openstack tree."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        request = webob.Request(environ)
        parts = [part for part in request.path_info.split("/") if part]
        if request.method == "POST" and len(parts) == 3 and parts[::2] == ["openstack", "password"]:
            _tell_password(request, parts[1])
            return webob.Response(content_type="text/plain")(environ, start_response)
        if request.method not in ("GET", "HEAD"):
            raise HttpError(405, f"The method {request.method} is not allowed.")
        body = self._find(request, parts)
        response = webob.Response(body=body, content_type="text/plain", charset="UTF-8")
        return response(environ, start_response)

    def _find(self, request: webob.Request, parts: list[str]) -> bytes:
        data = _instance(request)
        if not parts:
            return ("\n".join(tree.VERSIONS) + "\nlatest\n").encode()
        if parts[0] == "openstack":
            return _of_openstack(data, parts[1:])
        if parts[0] not in (*tree.VERSIONS, "latest"):
            raise NotFound()
        found = tree.find(tree.ec2_tree(data), parts[1:])
        if found is None:
            raise NotFound()
        text = tree.listing(found) if isinstance(found, Mapping) else found
        return text.encode("utf-8", "surrogateescape")


def _of_openstack(data: InstanceMetadata, parts: list[str]) -> bytes:
    if not parts:
        return ("\n".join(openstack.VERSIONS) + "\nlatest").encode()
    if parts[0] == openstack.CONTENT:
        return _injected(data, parts[1:])
    if parts[0] not in (*openstack.VERSIONS, "latest") or len(parts) > 2:
        raise NotFound()
    if len(parts) == 1:
        present = [name for name in openstack.FILES if openstack.file(data, name) is not None]
        return "\n".join(present).encode()
    content = openstack.file(data, parts[1])
    if content is None:
        raise NotFound()
    return content


def _injected(data: InstanceMetadata, parts: list[str]) -> bytes:
    content = openstack.contents(data).get(parts[0]) if len(parts) == 1 else None
    if content is None:
        raise NotFound()
    return content


def _tell_password(request: webob.Request, version: str) -> None:
    """Keep the password that a guest tells of itself."""
    if version not in (*openstack.VERSIONS, "latest"):
        raise NotFound()
    if (request.content_length or 0) > _LONGEST_BODY:
        raise HttpError(413, "The password is too long.")
    try:
        encrypted = request.body_file.read(_LONGEST_BODY).decode("ascii").strip()
    except UnicodeDecodeError as error:
        raise HttpError(400, "The password is not encrypted: it is not ASCII text.") from error
    request.environ[CLOUD].metadata.tell_password(_address(request), encrypted)


def _instance(request: webob.Request) -> InstanceMetadata:
    """Return the instance that asks; raises NotFound for an address that is nobody's."""
    data: InstanceMetadata = request.environ[CLOUD].metadata.of_address(_address(request))
    return data


def _address(request: webob.Request) -> str:
    """Return the address that asks."""
    conf = request.environ[CONF]
    address: str = request.environ.get("REMOTE_ADDR", "")
    if conf.use_forwarded_for and address in conf.trusted_proxies:
        address = request.headers.get("X-Forwarded-For", address).split(",")[-1].strip()
    return address


def app_factory(global_conf: dict[str, str]) -> MetadataApplication:
    """Build the application for a paste file."""
    return MetadataApplication()
