"""Deleting an instance: everything that booting made, in reverse. Nothing here can be undone."""

from nova_lite.compute.host import ComputeHost
from nova_lite.core.context import RequestContext
from nova_lite.core.flow import Step
from nova_lite.core.instance import Instance


class DeleteFlow:
    """The steps that remove an instance's guest from this host, the ``last`` that has something of it or not."""

    def __init__(
        self, host: ComputeHost, context: RequestContext, instance: Instance, *, last: bool
    ) -> None:
        self._host = host
        self._context = context
        self._instance = instance
        self._last = last

    def steps(self) -> list[Step]:
        """Return the steps in order."""
        return [
            Step("destroying", self.destroy),
            Step("disconnecting", self.disconnect),
        ]

    def destroy(self) -> None:
        """Stop the guest and remove its disks."""
        self._host.driver.destroy(self._instance.uuid)
        self._host.driver.delete_disks(self._instance.uuid, self._instance.name)
        self._host.driver.drop_aside(self._instance.name)

    def disconnect(self) -> None:
        """Remove the filter, and give the addresses back unless a guest elsewhere may use them still."""
        self._host.disconnect(self._instance)
        if self._last:
            self._host.release_addresses(self._context, self._instance)
