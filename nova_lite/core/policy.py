"""Who may do what: rules by name, the operator's file over the defaults.

The defaults stand in the route table's words: a rule's name is the policy of a route. oslo.policy evaluates
them; this module is its only door.
"""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

from oslo_config import cfg
from oslo_policy import opts, policy

from nova_lite.core.context import RequestContext
from nova_lite.core.errors import ConfigurationError, Forbidden

ADMIN = "role:admin"
MEMBER = "role:admin or (project_id:%(project_id)s and (role:member or role:manager))"
READER = "role:admin or (project_id:%(project_id)s and (role:reader or role:member or role:manager))"
ANY = "@"


PROJECT = ("project",)
EVERY_SCOPE = ("system", "domain", "project")


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """A rule's name, its default check in oslo.policy's language, and what it guards.

    A token of a scope that is none of ``scopes`` never passes, whatever the check says.
    """

    name: str
    check: str
    description: str
    scopes: tuple[str, ...] = PROJECT


class Policy:
    """The rules in force; making it raises ConfigurationError for a file that cannot be understood."""

    def __init__(self, rules: Iterable[Rule], policy_file: Path | None = None) -> None:
        conf = cfg.ConfigOpts()
        conf([], project="nova_lite", default_config_files=[])
        opts.set_defaults(conf)
        self._enforcer = policy.Enforcer(conf, policy_file=str(policy_file) if policy_file else None)
        self._enforcer.suppress_default_change_warnings = True
        for rule in rules:
            self._enforcer.register_default(
                policy.RuleDefault(rule.name, rule.check, rule.description, scope_types=list(rule.scopes))
            )
        try:
            self._enforcer.load_rules()
        except (ValueError, TypeError, AttributeError, OSError) as error:
            said = " ".join(str(error).split())
            raise ConfigurationError(f"cannot understand the policy file {policy_file}: {said}.") from error
        self._enforcer.use_conf = policy_file is not None

    def allows(self, context: RequestContext, rule: str, project_id: str | None = None) -> bool:
        """Tell whether the caller passes ``rule`` for something of ``project_id`` (its own when None)."""
        credentials = {
            "user_id": context.user_id,
            "project_id": context.project_id,
            "roles": list(context.roles),
            "system_scope": "all" if context.system_scope else None,
            "system": "all" if context.system_scope else None,
            "domain_id": context.domain_id or None,
        }
        target = {
            "project_id": context.project_id if project_id is None else project_id,
            "user_id": context.user_id,
        }
        return bool(self._enforcer.enforce(rule, target, credentials))

    def require(self, context: RequestContext, rule: str, project_id: str | None = None) -> None:
        """Raise Forbidden unless the caller passes ``rule``."""
        if not self.allows(context, rule, project_id):
            raise Forbidden(f"Policy doesn't allow {rule} to be performed.")
