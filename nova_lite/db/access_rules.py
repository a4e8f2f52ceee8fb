"""The access rules of users; application credentials have copies of them."""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from nova_lite.core.access_rules import AccessRule
from nova_lite.db.base import MYSQL, Base


class AccessRuleRow(Base):
    """One access rule."""

    __tablename__ = "access_rules"
    __table_args__ = MYSQL

    id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(
        sa.String(64), sa.ForeignKey("users.id", ondelete="CASCADE"), index=True
    )
    service: Mapped[str] = mapped_column(sa.String(64))
    method: Mapped[str] = mapped_column(sa.String(16))
    path: Mapped[str] = mapped_column(sa.String(128))


_TABLE = cast(sa.Table, AccessRuleRow.__table__)
_COLUMNS = (_TABLE.c.id, _TABLE.c.service, _TABLE.c.method, _TABLE.c.path)


def listing(session: Session, user_id: str) -> list[AccessRule]:
    """Return a user's rules."""
    query = sa.select(*_COLUMNS).where(_TABLE.c.user_id == user_id)
    rows = session.execute(query.order_by(_TABLE.c.service, _TABLE.c.path, _TABLE.c.method))
    return [AccessRule(**row._asdict()) for row in rows]


def insert(session: Session, user_id: str, rule: AccessRule) -> None:
    """Add a rule."""
    session.execute(sa.insert(_TABLE).values(user_id=user_id, **rule.document()))


def delete(session: Session, rule_id: str) -> None:
    """Remove a rule."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.id == rule_id))


def delete_of(session: Session, user_id: str) -> None:
    """Remove every rule of a user."""
    session.execute(sa.delete(_TABLE).where(_TABLE.c.user_id == user_id))
