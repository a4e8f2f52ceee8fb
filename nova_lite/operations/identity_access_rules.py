"""Access rules: made with application credentials, looked at and removed by their users."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from nova_lite.core import ids
from nova_lite.core.access_rules import AccessRule
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Forbidden, InvalidInput, NotFound
from nova_lite.db import access_rules, application_credentials
from nova_lite.operations.identity_base import IdentityBase, not_authorized, require_self
from nova_lite.operations.identity_users import find_user


class IdentityAccessRules(IdentityBase):
    """The operations on access rules."""

    def list_access_rules(self, context: RequestContext, user_id: str) -> list[AccessRule]:
        """Return a user's rules; raises NotFound, Forbidden."""
        require_self(context, user_id, "identity:list_access_rules")

        def work(session: Session) -> list[AccessRule]:
            find_user(session, user_id)
            return access_rules.listing(session, user_id)

        return self._database.read("identity.list_access_rules", work)

    def get_access_rule(self, context: RequestContext, user_id: str, rule_id: str) -> AccessRule:
        """Return a rule of a user; raises NotFound, Forbidden."""
        for rule in self.list_access_rules(context, user_id):
            if rule.id == rule_id:
                return rule
        raise NotFound(f"Could not find Access Rule: {rule_id}.")

    def delete_access_rule(self, context: RequestContext, user_id: str, rule_id: str) -> None:
        """Remove a rule; raises NotFound, and Forbidden while an application credential is bound by it."""
        if context.restricted or not (context.user_id == user_id or context.is_admin):
            raise not_authorized("identity:delete_access_rule")
        self.get_access_rule(context, user_id, rule_id)

        def work(session: Session) -> None:
            bound = application_credentials.listing(session, user_id, None)
            if any(rule.id == rule_id for one in bound for rule in one.access_rules or ()):
                raise Forbidden(f"Access rule {rule_id} is in use by an application credential.")
            access_rules.delete(session, rule_id)

        self._database.run("identity.delete_access_rule", work)


def wanted_rules(
    session: Session, user_id: str, wanted: Sequence[AccessRule] | None
) -> tuple[AccessRule, ...] | None:
    """Return a user's rules that a new credential names, by id or in full; those that are new are added.

    Raises InvalidInput for an id that is none.
    """
    if wanted is None:
        return None
    known = access_rules.listing(session, user_id)
    by_id = {rule.id: rule for rule in known}
    by_words = {(rule.service, rule.method, rule.path): rule for rule in known}
    found = []
    for rule in wanted:
        if rule.id and rule.id not in by_id:
            raise InvalidInput(f"Could not find Access Rule: {rule.id}.")
        words = (rule.service, rule.method, rule.path)
        chosen = by_id.get(rule.id) or by_words.get(words)
        if chosen is None:
            chosen = by_words[words] = AccessRule(ids.new_hex(), *words)
            access_rules.insert(session, user_id, chosen)
        found.append(chosen)
    return tuple(found)
