"""The EC2 API beside the compute API, asked for the same: 1,000 servers at once, and all about 1,000 of them."""

import statistics
import time
import urllib.parse
from collections.abc import Callable

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from nova_lite.core.ec2_ids import ec2_id
from tools.deployment import Client

_COUNT = 1000
_PATIENCE = 300.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}

AIMS = {"DescribeInstances of 1000": "1.3 times", "RunInstances of 1000": "1.3 times"}


class Ec2:
    """One connection of the user whose client is given, signed as boto3 signs; answers are not parsed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        token = client.session.headers["X-Auth-Token"]
        info = client.session.get(
            client.url("identity", "/v3/auth/tokens"), headers={"X-Subject-Token": token}
        ).json()["token"]
        path = f"/v3/users/{info['user']['id']}/credentials/OS-EC2"
        made = client.session.post(client.url("identity", path), json={"tenant_id": info["project"]["id"]})
        made.raise_for_status()
        keys = made.json()["credential"]
        self._signer = botocore.auth.SigV4Auth(
            botocore.credentials.Credentials(keys["access"], keys["secret"]), "ec2", "RegionOne"
        )

    def ask(self, action: str, **parameters: str | int) -> str:
        """Send a request; raises for a bad status."""
        body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **parameters}).encode()
        url = self._client.url("ec2", "/services/Cloud")
        request = botocore.awsrequest.AWSRequest("POST", url, data=body, headers=_FORM)
        self._signer.add_auth(request)
        answer = self._client.session.post(url, data=body, headers=dict(request.headers))
        answer.raise_for_status()
        return answer.text


def measure(client: Client, image: str) -> dict[str, str]:
    """Return the figures; there are 1,000 servers, and afterwards 5,000."""
    ec2 = Ec2(client)
    assert ec2.ask("DescribeInstances").count("<instanceId>") == _COUNT
    figures = {
        "DescribeInstances of 1000": _beside(
            lambda: client.compute("GET", "/servers/detail"), lambda: ec2.ask("DescribeInstances"), 9
        )
    }
    server = {
        "name": "bench", "flavorRef": "6", "imageRef": image, "networks": "auto", "min_count": _COUNT,
        "max_count": _COUNT,
    }  # fmt: skip
    wanted: dict[str, str | int] = {
        "ImageId": ec2_id("ami", image), "InstanceType": "m1.nano", "MinCount": _COUNT, "MaxCount": _COUNT,
    }  # fmt: skip

    def post() -> None:
        client.compute("POST", "/servers", {"server": server})

    def run() -> None:
        ec2.ask("RunInstances", **wanted)

    # How the servers are built is the same: what differs is the time until the client has its answer.
    figures["RunInstances of 1000"] = _beside(post, run, 2, ready=lambda: _settle(client))
    return figures


def _settle(client: Client) -> None:
    """Wait until no server is being built."""
    deadline = time.monotonic() + _PATIENCE
    while client.compute("GET", "/servers?status=BUILD&limit=1").json()["servers"]:
        if time.monotonic() > deadline:
            raise SystemExit("servers are still being built")
        time.sleep(0.05)


def _beside(
    compute: Callable[[], object],
    ec2: Callable[[], object],
    times: int,
    ready: Callable[[], object] = lambda: None,
) -> str:
    """Return how long the second takes, and how many times as long as the first, asked in turn once all is ready."""
    taken: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(times):
        for place, ask in enumerate((compute, ec2)):
            ready()
            began = time.perf_counter()
            ask()
            taken[place].append(time.perf_counter() - began)
    first, second = statistics.median(taken[0]), statistics.median(taken[1])
    return f"{second * 1000:.0f} ms, {second / first:.2f} times"
