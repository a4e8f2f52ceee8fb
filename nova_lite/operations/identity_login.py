"""Logging in: proof of who somebody is, tokens issued, checked and revoked."""

import dataclasses
import datetime
from collections.abc import Callable

from sqlalchemy.orm import Session

from nova_lite.core import clock, ids
from nova_lite.core.context import RequestContext
from nova_lite.core.errors import Conflict, NotFound, Unauthenticated
from nova_lite.core.identity import (
    APPLICATION_CREDENTIAL,
    DEFAULT_DOMAIN,
    DELEGATED,
    EC2_KEYS,
    SERVICE,
    SERVICE_PROJECT,
    SERVICE_USER,
    SYSTEM_SCOPE,
    UNSCOPED,
    CredentialProof,
    IssuedToken,
    Named,
    PasswordProof,
    Proof,
    Reference,
    Role,
    RoleGraph,
    Scope,
    ScopeKind,
    ScopeRequest,
    TokenInfo,
    TokenProof,
)
from nova_lite.core.signatures import Validity
from nova_lite.db import application_credentials, domains, ec2_credentials, projects, roles, tokens, users
from nova_lite.operations import identity_bootstrap
from nova_lite.operations.identity_base import IdentityBase, not_authorized, sees_all
from nova_lite.operations.identity_cache import digest_of

_SECRET_BYTES = 32
_AUDIT_BYTES = 16
_PURGED_AT_ONCE = 1000

_DEFAULT = ScopeRequest(ScopeKind.UNSCOPED)


@dataclasses.dataclass(frozen=True, slots=True)
class _Claim:
    """What a proof showed; ``expires_at`` bounds the new token, ``audit_id`` names the one it came from.

    ``project_id`` is the only one that the new token may be for, empty for any.
    """

    user_id: str
    credential_version: int
    default_project_id: str
    methods: tuple[str, ...]
    expires_at: datetime.datetime
    audit_id: str = ""
    application_credential_id: str | None = None
    project_id: str = ""


class IdentityLogin(IdentityBase):
    """The operations on tokens."""

    def bootstrap(self) -> None:
        """Add the default domain, the standard roles and the daemons' own user where they are missing."""
        try:
            self._change("bootstrap", identity_bootstrap.ensure)
        except Conflict:
            # Another process did it at the same moment, and has committed by now.
            self._change("bootstrap", identity_bootstrap.ensure)

    def authenticate(self, proofs: tuple[Proof, ...], scope: ScopeRequest | None = None) -> IssuedToken:
        """Issue a token to one who proves who it is; without ``scope`` for the user's default project.

        Every proof must be of the same user. Raises Unauthenticated, always with the same sentence.
        """
        claims = [self._prove(proof) for proof in proofs]
        if len({claim.user_id for claim in claims}) != 1:
            raise Unauthenticated()
        claim = _combine(claims)
        if claim.project_id and scope is None:
            return self._issue(claim, _project(Named(id=claim.project_id)))
        if scope is not None:
            return self._issue(claim, scope)
        if claim.default_project_id:
            try:
                return self._issue(claim, _project(Named(id=claim.default_project_id)))
            except Unauthenticated:
                # A default project that is gone, disabled or closed to the user is no reason to refuse.
                pass
        return self._issue(claim, _DEFAULT)

    def authenticate_signature(
        self, access: str, validity: Validity, is_signed_with: Callable[[str], bool]
    ) -> IssuedToken:
        """Issue a token to the owner of an EC2 credential whose secret key signed something a moment ago.

        Raises Unauthenticated, and what ``is_signed_with`` raises.
        """
        if not validity.covers(clock.now(), datetime.timedelta(seconds=self._settings.signature_seconds)):
            raise Unauthenticated("The signature has expired, or does not say when it was made.")
        found = self._database.read(
            "identity.get_ec2_credential", lambda session: ec2_credentials.get(session, access)
        )
        if found is None or not is_signed_with(self._seal.open(found.secret)):
            raise Unauthenticated()
        account = self._account(Named(id=found.user_id))
        if account is None or not account.enabled:
            raise Unauthenticated()
        claim = _Claim(
            user_id=account.id,
            credential_version=account.credential_version,
            default_project_id="",
            methods=(EC2_KEYS,),
            expires_at=_from_now(self._settings.token_seconds),
        )
        return self._issue(claim, _project(Named(id=found.project_id)))

    def issue_service_token(self) -> IssuedToken:
        """Issue a short-lived token to the daemons' own user, which needs no password.

        Raises Unauthenticated when an operator disabled that user or its project.
        """
        named = Named(name=SERVICE_USER, domain_id=DEFAULT_DOMAIN)
        account = self._account(named)
        if account is None:
            self.bootstrap()
            account = self._account(named)
        if account is None:
            raise Unauthenticated()
        claim = _Claim(
            user_id=account.id,
            credential_version=account.credential_version,
            default_project_id="",
            methods=("service",),
            expires_at=_from_now(self._settings.service_token_seconds),
        )
        return self._issue(claim, _project(Named(name=SERVICE_PROJECT, domain_id=DEFAULT_DOMAIN)))

    def validate(self, secret: str) -> TokenInfo:
        """Return what a token says; raises Unauthenticated for one that is not, or no longer, valid.

        One that was validated a moment ago costs no statement, any other costs one.
        """
        digest = digest_of(secret)
        known = self._cache.token(digest)
        if known is not None:
            return known
        generation = self._cache.generation()
        stored = self._database.read("identity.validate", lambda session: tokens.get(session, digest))
        if stored is None:
            raise Unauthenticated()
        info = _info(stored, self._graph(stored.role_ids))
        self._cache.remember_token(digest, info, generation)
        return info

    def inspect(self, context: RequestContext, secret: str) -> TokenInfo:
        """Return what another token says, for its owner or a service; raises NotFound, Forbidden."""
        try:
            info = self.validate(secret)
        except Unauthenticated as error:
            raise NotFound("Could not find token.") from error
        if not (context.user_id == info.user.id or sees_all(context) or SERVICE in context.roles):
            raise not_authorized("identity:validate_token")
        return info

    def revoke(self, context: RequestContext, secret: str) -> None:
        """End a token, for its owner or an admin; raises NotFound, Forbidden."""
        info = self.inspect(context, secret)
        if not (context.user_id == info.user.id or context.is_admin):
            raise not_authorized("identity:revoke_token")
        digest = digest_of(secret)
        try:
            self._database.run("identity.revoke", lambda session: tokens.delete(session, digest))
        finally:
            self._cache.forget_token(digest)

    def purge_tokens(self) -> int:
        """Remove the rows of tokens that expired; returns how many there were."""
        now, purged = clock.now(), 0
        while True:
            some = self._database.run(
                "identity.purge_tokens",
                lambda session: tokens.delete_expired(session, now, _PURGED_AT_ONCE),
            )
            purged += some
            if some < _PURGED_AT_ONCE:
                return purged

    def _prove(self, proof: Proof) -> _Claim:
        if isinstance(proof, PasswordProof):
            return self._prove_password(proof)
        if isinstance(proof, CredentialProof):
            return self._prove_credential(proof)
        return self._prove_token(proof)

    def _prove_credential(self, proof: CredentialProof) -> _Claim:
        found = self._database.read(
            "identity.application_credential",
            lambda session: application_credentials.proof_of(session, proof.credential, proof.user),
        )
        right = self._passwords.matches(proof.secret, found[1] if found else "")
        account = self._account(Named(id=found[0].user_id)) if found else None
        if not right or found is None or account is None or not account.enabled:
            raise Unauthenticated()
        expires_at = _from_now(self._settings.token_seconds)
        return _Claim(
            user_id=account.id,
            credential_version=account.credential_version,
            default_project_id="",
            methods=(APPLICATION_CREDENTIAL,),
            expires_at=min(expires_at, found[0].expires_at or expires_at),
            application_credential_id=found[0].id,
            project_id=found[0].project_id,
        )

    def _prove_password(self, proof: PasswordProof) -> _Claim:
        account = self._account(proof.user)
        if not self._may_enter(account, proof.password) or account is None:
            raise Unauthenticated()
        until = self.password_expires_at(account.password_set_at)
        if until is not None and until <= clock.now():
            raise Unauthenticated(f"The password is expired and needs to be changed for user: {account.id}.")
        return _Claim(
            user_id=account.id,
            credential_version=account.credential_version,
            default_project_id=account.default_project_id,
            methods=("password",),
            expires_at=_from_now(self._settings.token_seconds),
        )

    def _prove_token(self, proof: TokenProof) -> _Claim:
        # Not from the cache: a token that was revoked elsewhere a moment ago must not beget another.
        stored = self._database.read(
            "identity.prove_token", lambda session: tokens.get(session, digest_of(proof.token))
        )
        if stored is None or not _is_open(stored):
            raise Unauthenticated()
        credential = stored.application_credential
        return _Claim(
            user_id=stored.user.id,
            credential_version=stored.credential_version,
            default_project_id=stored.default_project_id,
            methods=("token", *(method for method in stored.methods if method != "token")),
            expires_at=stored.expires_at,
            audit_id=stored.audit_ids[-1],
            application_credential_id=credential.id if credential else None,
            project_id="" if DELEGATED.isdisjoint(stored.methods) else stored.scope.id,
        )

    def _account(self, named: Named) -> users.Account | None:
        return self._database.read("identity.account", lambda session: users.account(session, named))

    def _issue(self, claim: _Claim, request: ScopeRequest) -> IssuedToken:
        secret = ids.new_secret(_SECRET_BYTES)
        digest = digest_of(secret)
        audit_id = ids.new_secret(_AUDIT_BYTES)
        issued_at = clock.now()
        generation = self._cache.generation()

        def work(session: Session) -> tokens.StoredToken:
            scope = _resolve(session, request)
            if claim.project_id and scope != Scope(ScopeKind.PROJECT, claim.project_id):
                raise Unauthenticated()
            new = tokens.NewToken(
                digest=digest,
                user_id=claim.user_id,
                credential_version=claim.credential_version,
                scope=scope,
                methods=claim.methods,
                audit_ids=(audit_id, claim.audit_id) if claim.audit_id else (audit_id,),
                issued_at=issued_at,
                expires_at=claim.expires_at,
                application_credential_id=claim.application_credential_id,
            )
            tokens.insert(session, new)
            # Read back as any later check does: what would not pass that is never issued.
            stored = tokens.get(session, digest)
            if stored is None or not _is_open(stored):
                raise Unauthenticated()
            return stored

        stored = self._database.run(
            "identity.issue", work, landed=lambda session: tokens.get(session, digest)
        )
        info = _info(stored, self._graph(stored.role_ids))
        self._cache.remember_token(digest, info, generation)
        return IssuedToken(secret, info)

    def _graph(self, role_ids: frozenset[str]) -> RoleGraph:
        """Return the graph of roles, read anew when it is old or does not know one of ``role_ids``."""
        graph = self._cache.graph()
        if graph is None or not role_ids <= graph.roles.keys():
            generation = self._cache.generation()
            graph = self._database.read("identity.role_graph", roles.graph)
            self._cache.remember_graph(graph, generation)
        return graph


def _from_now(seconds: float) -> datetime.datetime:
    return clock.now() + datetime.timedelta(seconds=seconds)


def _project(named: Named) -> ScopeRequest:
    return ScopeRequest(ScopeKind.PROJECT, named)


def _combine(claims: list[_Claim]) -> _Claim:
    """Return one claim for several proofs of the same user: all their methods, the shortest life."""
    methods = tuple(dict.fromkeys(method for claim in claims for method in claim.methods))
    restricted = next((claim for claim in claims if claim.application_credential_id), claims[0])
    return dataclasses.replace(
        claims[0],
        methods=methods,
        expires_at=min(claim.expires_at for claim in claims),
        audit_id=next((claim.audit_id for claim in claims if claim.audit_id), ""),
        application_credential_id=restricted.application_credential_id,
        project_id=restricted.project_id,
    )


def _resolve(session: Session, request: ScopeRequest) -> Scope:
    """Return the scope that a client names; raises Unauthenticated when there is no such thing."""
    if request.kind is ScopeKind.SYSTEM:
        return SYSTEM_SCOPE
    if request.kind is ScopeKind.UNSCOPED:
        return UNSCOPED
    if request.named.id:
        return Scope(request.kind, request.named.id)
    name = request.named.name
    if request.kind is ScopeKind.DOMAIN:
        domain = domains.find(session, name)
        found = domain.id if domain else None
    else:
        project = projects.find(session, _domain_id(session, request.named), name)
        found = project.id if project else None
    if found is None:
        raise Unauthenticated()
    return Scope(request.kind, found)


def _domain_id(session: Session, named: Named) -> str:
    if named.domain_id:
        return named.domain_id
    domain = domains.find(session, named.domain_name)
    return domain.id if domain else ""


def _is_open(stored: tokens.StoredToken) -> bool:
    """Tell whether a token's user has any role on its scope, or it has none to have one on."""
    return stored.scope.kind is ScopeKind.UNSCOPED or bool(stored.role_ids)


def _roles(stored: tokens.StoredToken, graph: RoleGraph) -> tuple[Role, ...]:
    """Return the roles of a token: an application credential's are none that its user has lost meanwhile."""
    held = graph.expand(stored.role_ids)
    if stored.kept_role_ids is None:
        return held
    return graph.expand(stored.kept_role_ids & {role.id for role in held})


def _info(stored: tokens.StoredToken, graph: RoleGraph) -> TokenInfo:
    roles_now = _roles(stored, graph)
    if not (_is_open(stored) and (roles_now or stored.kept_role_ids is None)):
        raise Unauthenticated()
    return TokenInfo(
        user=stored.user,
        scope=stored.scope,
        target=stored.target,
        roles=tuple(Reference(role.id, role.name) for role in roles_now),
        methods=stored.methods,
        audit_ids=stored.audit_ids,
        issued_at=stored.issued_at,
        expires_at=stored.expires_at,
        restricted=stored.restricted or EC2_KEYS in stored.methods,
        password_set_at=stored.password_set_at,
        access_rules=stored.access_rules,
        application_credential=stored.application_credential,
    )
