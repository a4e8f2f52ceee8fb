"""What the host says of its size, for the scheduler and the operator."""

from nova_lite.db import compute_nodes
from nova_lite.db.engine import Database
from nova_lite.drivers.virt.base import VirtDriver


class ResourceReport:
    """Writes the hypervisor's size into the database; what is used of it is the schedulers' to count."""

    def __init__(self, database: Database, driver: VirtDriver, *, host: str, host_ip: str) -> None:
        self._database = database
        self._driver = driver
        self._host = host
        self._host_ip = host_ip

    def send(self) -> None:
        """Report the host's size as it is now."""
        size = self._driver.host_resources()
        report = compute_nodes.NodeReport(
            host=self._host,
            hypervisor_hostname=size.hypervisor_hostname,
            hypervisor_type=self._driver.capabilities.hypervisor_type,
            hypervisor_version=size.hypervisor_version,
            host_ip=self._host_ip,
            vcpus=size.vcpus,
            memory_mb=size.memory_mb,
            local_gb=size.local_gb,
            disk_available_least=size.disk_available_least,
            cpu_info=size.cpu_info,
            cannot=self._driver.capabilities.cannot,
        )
        self._database.run("compute.report", lambda session: compute_nodes.report(session, report))
