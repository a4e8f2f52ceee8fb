"""What is asked of a guest itself: its administrator's password, a dump of its memory, how it does."""

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.diagnostics import Diagnostics
from nova_lite.core.errors import Conflict
from nova_lite.core.instance import Instance
from nova_lite.core.instance_states import Verb
from nova_lite.db import instances
from nova_lite.db.engine import Database
from nova_lite.drivers.seal import Seal
from nova_lite.operations.orders import Order, Orders, Parameters, find
from nova_lite.rpc.compute import ComputeProxy


class Guests:
    """The operations on guests. A password waits encrypted by ``seal`` for the guest's host."""

    def __init__(self, database: Database, orders: Orders, compute: ComputeProxy, seal: Seal) -> None:
        self._database = database
        self._orders = orders
        self._compute = compute
        self._seal = seal

    def change_password(self, context: RequestContext, uuid: str, password: str) -> None:
        """Order another administrator's password; raises NotFound, WrongState, Locked."""
        sealed = self._seal.seal(password)

        def prepare(session: Session, instance: Instance) -> Parameters:
            return {"password": sealed}

        self._orders.place(context, uuid, Order(lambda _: Verb.CHANGE_PASSWORD, prepare))

    def password(self, context: RequestContext, uuid: str) -> str:
        """Return the password that the guest told, encrypted for its key pair; raises NotFound."""

        def work(session: Session) -> str:
            return instances.password_data(session, find(session, context, uuid).uuid)

        return self._database.read("server.password", work)

    def forget_password(self, context: RequestContext, uuid: str) -> None:
        """Forget the password that the guest told, so that it may tell another; raises NotFound."""

        def work(session: Session) -> None:
            instances.update(session, find(session, context, uuid).uuid, password_data=None)

        self._database.run("server.forget_password", work)

    def dump(self, context: RequestContext, uuid: str) -> None:
        """Order a dump of the guest's memory; raises NotFound, WrongState, Locked."""
        self._orders.place(context, uuid, Order(lambda _: Verb.CRASH_DUMP))

    def diagnostics(self, context: RequestContext, uuid: str) -> tuple[Instance, Diagnostics]:
        """Return a server and how its guest does; raises NotFound, Conflict while it has no guest."""
        instance = self._database.read("server.instance", lambda session: find(session, context, uuid))
        if not instance.host:
            raise Conflict(f"Instance {uuid} is not ready: it has no host yet.")
        return instance, self._compute.on(instance.host).diagnostics(context, uuid)
