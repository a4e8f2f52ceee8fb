"""The operator's own rules of the packet filter."""

import dataclasses
import datetime
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core import clock
from nova_lite.core.errors import Conflict
from nova_lite.core.network import ProviderRule
from nova_lite.db.base import MYSQL, UUID, Base


class ProviderRuleRow(Base):
    """One kind of traffic that reaches no guest."""

    __tablename__ = "provider_fw_rules"
    __table_args__ = (
        sa.UniqueConstraint("protocol", "from_port", "to_port", "cidr", name="uq_provider_fw_rules_traffic"),
        MYSQL,
    )

    id: Mapped[str] = mapped_column(UUID, primary_key=True)
    protocol: Mapped[str] = mapped_column(sa.String(16), default="")
    from_port: Mapped[int] = mapped_column(default=-1)
    to_port: Mapped[int] = mapped_column(default=-1)
    cidr: Mapped[str] = mapped_column(sa.String(43))
    ethertype: Mapped[str] = mapped_column(sa.String(4), default="IPv4")
    created_at: Mapped[datetime.datetime]


_TABLE = cast(sa.Table, ProviderRuleRow.__table__)
_FIELDS = tuple(field.name for field in dataclasses.fields(ProviderRule))


def listing(session: Session) -> list[ProviderRule]:
    """Return all rules, the oldest first."""
    query = sa.select(_TABLE).order_by(_TABLE.c.created_at, _TABLE.c.id)
    return [
        ProviderRule(**{name: row._mapping[name] for name in _FIELDS}) for row in session.execute(query)
    ]


def insert(session: Session, rule: ProviderRule) -> None:
    """Add a rule; raises Conflict for one that is there."""
    values = {name: getattr(rule, name) for name in _FIELDS}
    try:
        session.execute(sa.insert(_TABLE).values(**values, created_at=clock.now()))
    except sa.exc.IntegrityError as error:
        raise Conflict("The same traffic is refused already.") from error


def delete(session: Session, rule_id: str) -> bool:
    """Remove a rule; False when there is none of that id."""
    removed = session.execute(sa.delete(_TABLE).where(_TABLE.c.id == rule_id))
    return bool(removed.rowcount)  # type: ignore[attr-defined]
