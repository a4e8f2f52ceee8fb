"""What the cloud of ``make run`` is like, and where its files lie."""

import dataclasses
import ipaddress
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGES = TOP / ".venv/novnc/usr/share/novnc"
"""Of noVNC, where ``tools.bootstrap`` unpacks them."""
PORTS = {
    "identity": 5000, "ec2": 8773, "osapi_compute": 8774, "metadata": 8775, "image": 9292, "network": 9696,
    "s3": 3333,
}  # fmt: skip
CONSOLES = {"novnc": 6080, "serial": 6083}
DAEMONS = (
    "nova-network", "nova-compute", "nova-scheduler", "nova-cert", "nova-objectstore", "nova-api", "nova-novncproxy",
    "nova-serialproxy",
)  # fmt: skip
_RANGES = ("10.0.0.0/24", "10.77.0.0/24", "172.30.77.0/24")
_LEAST_DISK = 2 * 1024**3


class RunError(Exception):
    """The cloud cannot run; the text is one sentence that says what to mend."""


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How the cloud runs; ``driver`` is libvirt or fake, the URLs are empty unless the caller gave some."""

    folder: Path
    driver: str
    distributed: bool
    sql_connection: str = ""
    transport_url: str = ""
    libvirt_type: str = "auto"

    @property
    def flag_file(self) -> Path:
        """The daemons' flag file."""
        return self.folder / "nova.conf"

    @property
    def programs(self) -> tuple[str, ...]:
        """The daemons that run."""
        return DAEMONS if self.distributed else ("nova-all",)

    @property
    def auth_url(self) -> str:
        """Where clients log in."""
        return f"http://127.0.0.1:{PORTS['identity']}/v3"

    @property
    def ec2_url(self) -> str:
        """Where clients of EC2 ask."""
        return f"http://127.0.0.1:{PORTS['ec2']}/services/Cloud"

    @property
    def s3_url(self) -> str:
        """Where clients of S3 ask."""
        return f"http://127.0.0.1:{PORTS['s3']}"

    @property
    def region(self) -> str:
        """The region by whose name clients sign."""
        return "RegionOne"


def program(name: str) -> str:
    """Return the path of a program of the virtual environment."""
    return str(Path(sys.executable).parent / name)


def from_environment(*, distributed: bool) -> Settings:
    """Read DRIVER, LIBVIRT_TYPE, SQL_CONNECTION and TRANSPORT_URL; without root the hypervisor is a simulated one."""
    driver = os.environ.get("DRIVER") or ("libvirt" if os.geteuid() == 0 else "fake")
    if driver not in ("libvirt", "fake"):
        raise RunError(f"DRIVER is {driver}, but it must be libvirt or fake.")
    if driver == "libvirt" and os.geteuid() != 0:
        raise RunError("DRIVER=libvirt needs root; without it use DRIVER=fake.")
    libvirt_type = os.environ.get("LIBVIRT_TYPE") or "auto"
    if libvirt_type not in ("auto", "kvm", "qemu", "lxc"):
        raise RunError(f"LIBVIRT_TYPE is {libvirt_type}, but it must be auto, kvm, qemu or lxc.")
    return Settings(
        folder=Path(os.environ.get("NOVA_VAR", TOP / "var")).resolve(),
        driver=driver,
        distributed=distributed,
        sql_connection=os.environ.get("SQL_CONNECTION", ""),
        transport_url=os.environ.get("TRANSPORT_URL", ""),
        libvirt_type=libvirt_type,
    )


def check_machine(settings: Settings) -> None:
    """Raise RunError where a port is taken or the disk is full; nothing was started yet."""
    from tools.services.process import listens

    for api, port in PORTS.items():
        if listens(port):
            raise RunError(f"Port {port}, which the {api} API needs, is taken by another program.")
    for console, port in CONSOLES.items():
        if listens(port):
            raise RunError(f"Port {port}, which the proxy of {console} consoles needs, is taken.")
    settings.folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.folder).free < _LEAST_DISK:
        raise RunError(f"The disk of {settings.folder} has less than 2 GiB left.")


def free_range() -> str:
    """Return a range of addresses that no route of this machine covers; raises RunError."""
    listed = subprocess.run(["ip", "-j", "route"], capture_output=True, text=True, check=True).stdout
    routed = [
        ipaddress.ip_network(route["dst"])
        for route in json.loads(listed)
        if route["dst"] != "default" and route.get("dev") != "br100"
    ]
    for candidate in _RANGES:
        network = ipaddress.ip_network(candidate)
        if not any(network.overlaps(other) for other in routed):
            return candidate
    raise RunError(f"All of {', '.join(_RANGES)} are in use on this machine; the guests need one of them.")


def write_flags(settings: Settings, *, sql: str, bus: str, libvirt_uri: str) -> None:
    """Write the daemons' flag file."""
    folder = settings.folder
    fake = settings.driver == "fake"
    flags = {
        "state_path": folder,
        "sql_connection": sql,
        "transport_url": bus,
        "compute_driver": settings.driver,
        "network_driver": "fake" if fake else "linux",
        "firewall_driver": "fake" if fake else "nftables",
        "api_paste_config": TOP / "etc/nova_lite/api-paste.ini",
        "instances_path": folder / "instances",
        "images_path": folder / "images",
        "networks_path": folder / "networks",
        "reserved_host_memory_mb": 0,
        "public_host": "",
        "ec2_dmz_host": "127.0.0.1",
        "s3_dmz": "127.0.0.1",
        "vnc_enabled": not fake,
        "serial_console_enabled": True,
        "serialproxy_base_url": f"ws://127.0.0.1:{CONSOLES['serial']}/",
        "console_proxies": "" if settings.distributed else "serial" if fake else ",".join(CONSOLES),
        "novncproxy_web": PAGES if PAGES.is_dir() else "",
    }
    if libvirt_uri:
        flags |= {"libvirt_uri": libvirt_uri, "libvirt_type": settings.libvirt_type}
    if settings.libvirt_type == "lxc":
        # The guest image begins with busybox, and its keys are written where the root file system is.
        flags |= {"libvirt_lxc_stop_signal": "SIGUSR2", "libvirt_inject_partition": 1}
    lines = [f"--{name}={value}\n" for name, value in flags.items() if value != ""]
    settings.flag_file.write_text("# Written by make run.\n" + "".join(lines))
    settings.flag_file.chmod(0o600)
