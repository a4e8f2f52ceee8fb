"""Who signs requests with the secret key of an EC2 credential: found for each request, without a token."""

import dataclasses

from sqlalchemy.orm import Session

from nova_lite.core import clock
from nova_lite.core.errors import Unauthenticated
from nova_lite.core.identity import DEFAULT_DOMAIN, EC2_KEYS, Named, Reference, Scope, ScopeKind, TokenInfo
from nova_lite.core.signer import Signer
from nova_lite.db import domains, ec2_credentials, projects, role_assignments, users
from nova_lite.operations.identity_login import IdentityLogin


@dataclasses.dataclass(frozen=True, slots=True)
class _Found:
    """What the database knows of a signer."""

    sealed: str
    user: Reference
    target: Reference
    role_ids: frozenset[str]


class IdentitySigners(IdentityLogin):
    """The operations on signers."""

    def signer(self, access: str, project: str = "") -> Signer:
        """Return who has an access key, acting on ``project`` (an id or a name) or that of the credential.

        Raises Unauthenticated where there is no such key, and where its user or project is disabled or the user
        has no role there. What was found a moment ago costs no statement.
        """
        known = self._cache.signer((access, project))
        if known is not None:
            return known
        generation = self._cache.generation()
        found = self._database.read("identity.signer", lambda session: _find(session, access, project))
        if found is None:
            raise Unauthenticated()
        now = clock.now()
        info = TokenInfo(
            user=found.user,
            scope=Scope(ScopeKind.PROJECT, found.target.id),
            target=found.target,
            roles=tuple(
                Reference(role.id, role.name) for role in self._graph(found.role_ids).expand(found.role_ids)
            ),
            methods=(EC2_KEYS,),
            restricted=True,
            audit_ids=(access,),
            issued_at=now,
            expires_at=now,
        )
        signer = Signer(access, self._seal.open(found.sealed), info)
        self._cache.remember_signer((access, project), signer, generation)
        return signer


def _find(session: Session, access: str, project: str) -> _Found | None:
    credential = ec2_credentials.get(session, access)
    account = users.account(session, Named(id=credential.user_id)) if credential else None
    if credential is None or account is None or not account.enabled:
        return None
    wanted = project or credential.project_id
    target = projects.get(session, wanted) or projects.find(session, DEFAULT_DOMAIN, wanted)
    user = users.get(session, account.id)
    if target is None or not target.enabled or user is None:
        return None
    domain = domains.get(session, target.domain_id)
    role_ids = role_assignments.roles_on(session, user.id, Scope(ScopeKind.PROJECT, target.id))
    if domain is None or not domain.enabled or not role_ids:
        return None
    return _Found(
        credential.secret,
        Reference(user.id, user.name, user.domain_id),
        Reference(target.id, target.name, domain.id, domain.name),
        frozenset(role_ids),
    )
