"""The operator's own rules of the packet filter: what reaches no guest of any project."""

import ipaddress
from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import InvalidInput, NotFound
from nova_lite.core.network import PROVIDER_GROUP, ProviderRule
from nova_lite.db import provider_rules, services
from nova_lite.db.engine import Database
from nova_lite.operations.security_groups import NewRule, check_rule
from nova_lite.rpc.compute import ComputeProxy


class ProviderRules:
    """The operations on the operator's rules; every compute host follows at once."""

    def __init__(self, database: Database, compute: ComputeProxy, *, down_after: float) -> None:
        self._database = database
        self._compute = compute
        self._down_after = down_after

    def list(self, context: RequestContext) -> Sequence[ProviderRule]:
        """Return all rules."""
        return self._database.read("provider_rule.list", provider_rules.listing)

    def create(
        self,
        context: RequestContext,
        cidr: str,
        protocol: str = "",
        from_port: int | None = None,
        to_port: int | None = None,
    ) -> ProviderRule:
        """Refuse traffic from a range of addresses; raises InvalidInput, Conflict for a rule that is there.

        One port may be given alone; for ICMP these are its type and code.
        """
        last = to_port if to_port is not None else -1 if protocol.startswith("icmp") else from_port
        wanted = NewRule(
            PROVIDER_GROUP,
            protocol=protocol,
            from_port=-1 if from_port is None else from_port,
            to_port=-1 if last is None else last,
            cidr=cidr,
            ethertype=f"IPv{_version(cidr)}",
        )
        checked = check_rule(wanted)
        rule = ProviderRule(
            checked.id, checked.protocol, checked.from_port, checked.to_port, checked.cidr, checked.ethertype
        )

        def work(session: Session) -> None:
            provider_rules.insert(session, rule)

        def landed(session: Session) -> bool | None:
            return True if rule in provider_rules.listing(session) else None

        self._database.run("provider_rule.create", work, landed=landed)
        self._ring(context)
        return rule

    def delete(self, context: RequestContext, rule_id: str) -> None:
        """Refuse it no longer; raises NotFound."""

        def work(session: Session) -> None:
            if not provider_rules.delete(session, rule_id):
                raise NotFound(f"There is no rule {rule_id} of the operator.")

        self._database.run("provider_rule.delete", work)
        self._ring(context)

    def _ring(self, context: RequestContext) -> None:
        """Have all hosts renew their filters; one that does not hear it does so in its periodic repair."""
        found = self._database.read(
            "provider_rule.hosts",
            lambda session: services.listing(session, self._down_after, binary="nova-compute"),
        )
        for service in found:
            self._compute.on(service.host).refresh_security_groups(context, [PROVIDER_GROUP])


def _version(cidr: str) -> int:
    try:
        return ipaddress.ip_network(cidr, strict=False).version
    except ValueError as error:
        raise InvalidInput(f"{cidr[:60]!r} is not a valid CIDR.") from error
