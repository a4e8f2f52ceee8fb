"""Objects of this cloud's object store, or of another S3, by signed requests (version 4), addressed by path."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3

from nova_lite.core import clock, signatures
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.errors import InvalidInput, NotFound, Unavailable

_CHUNK = 1024 * 1024
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_SERVICE = "s3"


class ObjectClient:
    """Sends requests to an object store, each signed with the keys that it is given."""

    def __init__(self, host: str, port: int, *, ssl: bool, region: str, affix_project: bool = False) -> None:
        self._address = f"{host}:{port}"
        self._region = region
        self._affix_project = affix_project
        pool = urllib3.HTTPSConnectionPool if ssl else urllib3.HTTPConnectionPool
        self._pool = pool(host, port, timeout=_TIMEOUT, retries=False, maxsize=8)

    @classmethod
    def from_flags(cls, conf: Any) -> "ObjectClient":
        """Build the client from the flags."""
        return cls(
            conf.s3_host,
            conf.s3_port,
            ssl=conf.s3_use_ssl,
            region=conf.region_name,
            affix_project=conf.s3_affix_tenant,
        )

    def send(
        self,
        keys: Ec2Credential,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Return the answer, its body unread; raises NotFound, InvalidInput for no access, Unavailable."""
        asked = signatures.canonical_query(list((query or {}).items()))
        path = signatures.quote(path, "/")
        signed = {**(headers or {}), **self._signed(keys, method, path, asked, body)}
        try:
            answer = self._pool.request(
                method, path + (f"?{asked}" if asked else ""), body=body or None, headers=signed,
                preload_content=False, redirect=False,
            )  # fmt: skip
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(f"The object store could not be asked: {error}.") from error
        if answer.status < 300:
            return answer
        answer.drain_conn()
        answer.release_conn()
        if answer.status == 404:
            raise NotFound(f"There is no {path} in the object store.")
        if answer.status >= 500:
            raise Unavailable(f"The object store answered {answer.status}.")
        raise InvalidInput(f"The object store refused {path} ({answer.status}).")

    def _signed(self, keys: Ec2Credential, method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        moment = clock.now().strftime("%Y%m%dT%H%M%SZ")
        scope = (moment[:8], self._region, _SERVICE)
        digest = hashlib.sha256(body).hexdigest()
        signed = {"host": self._address, "x-amz-content-sha256": digest, "x-amz-date": moment}
        lines = [f"{name}:{value}" for name, value in signed.items()]
        names = ";".join(signed)
        canonical = "\n".join((method, path, query, *lines, "", names, digest))
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join((signatures.ALGORITHM, moment, "/".join((*scope, "aws4_request")), hashed))
        access = f"{keys.access}:{keys.project_id}" if self._affix_project else keys.access
        authorization = (
            f"{signatures.ALGORITHM} Credential={access}/{'/'.join(scope)}/aws4_request, "
            f"SignedHeaders={names}, Signature={signatures.sign_4(keys.secret, scope, text)}"
        )
        return {**signed, "authorization": authorization}


def body_of(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """Yield the body of an answer; raises Unavailable where it breaks off."""
    try:
        yield from answer.stream(_CHUNK)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable(f"The object store broke off: {error}.") from error
    finally:
        answer.release_conn()


class ObjectSource:
    """Reads objects with a user's own keys."""

    def __init__(self, client: ObjectClient) -> None:
        self._client = client

    @classmethod
    def from_flags(cls, conf: Any) -> "ObjectSource":
        """Build the source from the flags."""
        return cls(ObjectClient.from_flags(conf))

    def read(self, keys: Ec2Credential, bucket: str, key: str) -> Iterator[bytes]:
        """Yield an object's bytes in chunks; raises NotFound, InvalidInput for no access, Unavailable."""
        yield from body_of(self._client.send(keys, "GET", f"/{bucket}/{key}"))
