"""Reading objects of this cloud's object store, or another S3, with a user's own keys."""

import hashlib
from collections.abc import Iterator
from typing import Any

import urllib3

from nova_lite.core import clock, signatures
from nova_lite.core.credentials import Ec2Credential
from nova_lite.core.errors import InvalidInput, NotFound, Unavailable

_CHUNK = 1024 * 1024
_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_SERVICE = "s3"
_EMPTY = hashlib.sha256(b"").hexdigest()


class ObjectSource:
    """Reads objects by signed requests (version 4), addressed by path."""

    def __init__(self, host: str, port: int, *, ssl: bool, region: str, affix_project: bool) -> None:
        self._host = host
        self._port = port
        self._ssl = ssl
        self._region = region
        self._affix_project = affix_project

    @classmethod
    def from_flags(cls, conf: Any) -> "ObjectSource":
        """Build the source from the flags."""
        return cls(
            conf.s3_host,
            conf.s3_port,
            ssl=conf.s3_use_ssl,
            region=conf.region_name,
            affix_project=conf.s3_affix_tenant,
        )

    def read(self, keys: Ec2Credential, bucket: str, key: str) -> Iterator[bytes]:
        """Return an object's bytes in chunks; raises NotFound, InvalidInput for no access, Unavailable."""
        path = signatures.quote(f"/{bucket}/{key}", "/")
        pool = urllib3.HTTPSConnectionPool if self._ssl else urllib3.HTTPConnectionPool
        with pool(self._host, self._port, timeout=_TIMEOUT, retries=False) as connection:
            try:
                answer = connection.request(
                    "GET", path, headers=self._headers(keys, path), preload_content=False, redirect=False
                )
                if answer.status == 404:
                    raise NotFound(f"There is no object {bucket}/{key}.")
                if answer.status >= 500:
                    raise Unavailable(f"The object store answered {answer.status}.")
                if answer.status != 200:
                    raise InvalidInput(f"The object {bucket}/{key} could not be read ({answer.status}).")
                yield from answer.stream(_CHUNK)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Unavailable(f"The object store could not be read: {error}.") from error

    def _headers(self, keys: Ec2Credential, path: str) -> dict[str, str]:
        moment = clock.now().strftime("%Y%m%dT%H%M%SZ")
        scope = (moment[:8], self._region, _SERVICE)
        signed = {
            "host": f"{self._host}:{self._port}",
            "x-amz-content-sha256": _EMPTY,
            "x-amz-date": moment,
        }
        names = ";".join(signed)
        lines = [f"{name}:{value}" for name, value in signed.items()]
        canonical = "\n".join(("GET", path, "", *lines, "", names, _EMPTY))
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join((signatures.ALGORITHM, moment, "/".join((*scope, "aws4_request")), digest))
        access = f"{keys.access}:{keys.project_id}" if self._affix_project else keys.access
        authorization = (
            f"{signatures.ALGORITHM} Credential={access}/{'/'.join(scope)}/aws4_request, "
            f"SignedHeaders={names}, Signature={signatures.sign_4(keys.secret, scope, text)}"
        )
        return {**signed, "authorization": authorization}
