"""``python -m tools.bench [embedded] [distributed] [network] [objects] [guests]``: prints tables."""

import concurrent.futures
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import prettytable

from tools.bench import ec2, guests, network_host, objects
from tools.deployment import Client, Deployment, deployed

AIMS = {
    "create to ACTIVE, p50": "30 / 60 ms",
    "100 creates, 16 threads": "60 /s",
    "one request of 100": "60 /s",
    "list of 1000 in full": "100 ms",
    "show, 8 threads": "300 /s",
    "SQL per boot and delete": "30",
    "start-up": "3 s",
    "memory": "500 MB",
    **ec2.AIMS,
}
_SEQUENTIAL = 30
_PATIENCE = 300.0
_LOG_INS = 1350


def measure(deployment: Deployment) -> dict[str, str]:
    """Return every figure as text."""
    client = deployment.client()
    image = client.make_image()
    figures = {"start-up": f"{deployment.start_seconds:.1f} s"}
    for _ in range(5):
        _boot_and_delete(client, image)
    before = deployment.statements()
    times = [_boot_and_delete(client, image) for _ in range(_SEQUENTIAL)]
    statements = (deployment.statements() - before) / _SEQUENTIAL
    figures["create to ACTIVE, p50"] = f"{statistics.median(boot for boot, _ in times) * 1000:.0f} ms"
    figures["create to ACTIVE, p95"] = f"{sorted(boot for boot, _ in times)[-2] * 1000:.0f} ms"
    figures["delete to gone, p50"] = f"{statistics.median(gone for _, gone in times) * 1000:.0f} ms"
    figures["SQL per boot and delete"] = f"{statements:.0f}"
    figures["100 creates, 16 threads"] = _rate(client, 100, lambda: _many_requests(deployment, image))
    figures["100 deletes, 16 threads"] = _rate_of_deletes(deployment, client)
    figures["one request of 100"] = _rate(client, 100, lambda: _order(client, image, 100))
    for _ in range(9):
        _order(client, image, 100)
    _wait(client, 1000)
    figures["list of 1000 in full"] = (
        f"{_best(lambda: client.compute('GET', '/servers/detail')) * 1000:.0f} ms"
    )
    figures["show, 8 threads"] = _shows(deployment, client)
    figures["1350 log-ins, 8 threads"] = _log_ins(deployment)
    figures["memory"] = f"{deployment.memory_mb():.0f} MB"
    return figures | ec2.measure(client, image)


def _order(client: Client, image: str, count: int = 1) -> str:
    server = {
        "name": "bench", "flavorRef": "6", "imageRef": image, "networks": "auto", "min_count": count,
        "max_count": count,
    }  # fmt: skip
    return str(client.compute("POST", "/servers", {"server": server}).json()["server"]["id"])


def _boot_and_delete(client: Client, image: str) -> tuple[float, float]:
    """Boot and delete one server; returns the seconds of each, as a client that asks every 2 ms sees them."""
    began = time.perf_counter()
    server_id = _order(client, image)
    while client.compute("GET", f"/servers/{server_id}").json()["server"]["status"] != "ACTIVE":
        time.sleep(0.002)
    booted = time.perf_counter()
    client.compute("DELETE", f"/servers/{server_id}")
    path = client.url("osapi_compute", f"/v2.1/servers/{server_id}")
    while client.session.get(path).status_code != 404:
        time.sleep(0.002)
    return booted - began, time.perf_counter() - booted


def _many_requests(deployment: Deployment, image: str) -> None:
    def order(count: int) -> None:
        client = deployment.client()
        for _ in range(count):
            _order(client, image)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(order, [7] * 4 + [6] * 12))


def _rate(client: Client, count: int, order: Callable[[], object]) -> str:
    before = _active(client)
    began = time.perf_counter()
    order()
    _wait(client, before + count)
    return f"{count / (time.perf_counter() - began):.0f} /s"


def _rate_of_deletes(deployment: Deployment, client: Client) -> str:
    ids = [server["id"] for server in client.compute("GET", "/servers").json()["servers"]]
    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        shares = [ids[start::16] for start in range(16)]
        list(pool.map(lambda share: [client_delete(deployment, share)], shares))
    deadline = time.monotonic() + _PATIENCE
    while client.compute("GET", "/servers").json()["servers"] and time.monotonic() < deadline:
        time.sleep(0.02)
    return f"{len(ids) / (time.perf_counter() - began):.0f} /s"


def client_delete(deployment: Deployment, ids: list[str]) -> None:
    """Delete servers over a connection of their own."""
    client = deployment.client()
    for server_id in ids:
        client.compute("DELETE", f"/servers/{server_id}")


def _active(client: Client) -> int:
    return len(client.compute("GET", "/servers?status=ACTIVE").json()["servers"])


def _wait(client: Client, count: int) -> None:
    deadline = time.monotonic() + _PATIENCE
    while (found := _active(client)) < min(count, 1000):
        if time.monotonic() > deadline:
            raise SystemExit(f"only {found} of {count} servers became ACTIVE")
        time.sleep(0.02)


def _best(ask: Callable[[], object]) -> float:
    times = []
    for _ in range(7):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _shows(deployment: Deployment, client: Client) -> str:
    server_id = client.compute("GET", "/servers?limit=1").json()["servers"][0]["id"]

    def show(_: int) -> None:
        own = deployment.client()
        for _ in range(100):
            own.compute("GET", f"/servers/{server_id}")

    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(show, range(8)))
    return f"{800 / (time.perf_counter() - began):.0f} /s"


def _log_ins(deployment: Deployment) -> str:
    """Have one user log in again and again, as programs do that keep no token."""
    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: deployment.client().session.close(), range(_LOG_INS)))
    seconds = time.perf_counter() - began
    return f"{seconds:.1f} s, {_LOG_INS / seconds:.0f} /s"


def main() -> None:
    """Measure what is named, everything unless told otherwise."""
    wanted = sys.argv[1:] or ["embedded", "distributed", "network", "objects", "guests"]
    if deployments := [name for name in wanted if name not in ("network", "objects", "guests")]:
        _measure_deployments(deployments)
    if "network" in wanted:
        _measure_network()
    if "objects" in wanted:
        with tempfile.TemporaryDirectory(prefix="nova-bench-") as folder:
            print(objects.table(objects.measure(Path(folder))))
    if "guests" in wanted:
        with tempfile.TemporaryDirectory(prefix="nova-bench-") as folder:
            print(guests.table(guests.measure(Path(folder))))


def _measure_network() -> None:
    figures = {}
    for count in network_host.SIZES:
        with tempfile.TemporaryDirectory(prefix="nova-bench-") as folder:
            figures[count] = network_host.measure(count, Path(folder))
    print(network_host.table(figures))


def _measure_deployments(wanted: list[str]) -> None:
    columns: dict[str, dict[str, str]] = {}
    for name in wanted:
        with (
            tempfile.TemporaryDirectory(prefix="nova-bench-") as folder,
            deployed(Path(folder), distributed=name == "distributed") as deployment,
        ):
            columns[name] = measure(deployment)
    table = prettytable.PrettyTable(["figure", *wanted, "aim"])
    table.align = "l"
    for figure in next(iter(columns.values())):
        table.add_row([figure, *(columns[name][figure] for name in wanted), AIMS.get(figure, "")])
    print(table)


if __name__ == "__main__":
    main()
