"""Who there is and what they may act for: users, projects, domains, roles, tokens."""

import dataclasses
import datetime
import enum
from collections.abc import Mapping
from typing import Any

from nova_lite.core.access_rules import AccessRule
from nova_lite.core.context import RequestContext

DEFAULT_DOMAIN = "default"
"""The id of the domain that is always there."""

ADMIN, MANAGER, MEMBER, READER, SERVICE = "admin", "manager", "member", "reader", "service"

STANDARD_ROLES = (ADMIN, MANAGER, MEMBER, READER, SERVICE)
"""Roles that are there from the start; policy names them, so they can be neither renamed nor deleted."""

STANDARD_IMPLICATIONS = ((ADMIN, MANAGER), (MANAGER, MEMBER), (MEMBER, READER))
"""Pairs of a role and the role that its holder has too."""

SERVICE_USER, SERVICE_PROJECT = "nova", "service"
"""The names, in the default domain, of what daemons act as when they speak HTTP to each other."""

SYSTEM = "system"
"""The id of the only target of system scope."""

APPLICATION_CREDENTIAL, EC2_KEYS = "application_credential", "ec2credential"

DELEGATED = frozenset((APPLICATION_CREDENTIAL, EC2_KEYS))
"""Ways to log in in the place of a user: what they open must not beget what opens more."""

Extra = Mapping[str, Any]
"""What a client stored beside the fields that mean something here; shown to it again as it was."""


@dataclasses.dataclass(frozen=True, slots=True)
class Domain:
    """A name space of users and projects."""

    id: str
    name: str
    description: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """What owns resources. ``parent_id`` is the domain's id for a project that is below no other."""

    id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    parent_id: str = ""
    description: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in."""

    id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    description: str = ""
    enabled: bool = True
    default_project_id: str = ""
    extra: Extra = dataclasses.field(default_factory=dict)
    password_set_at: datetime.datetime | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Users who have roles together."""

    id: str
    name: str
    domain_id: str = DEFAULT_DOMAIN
    description: str = ""
    extra: Extra = dataclasses.field(default_factory=dict)


class ActorKind(enum.StrEnum):
    """Who can have roles."""

    USER = "user"
    GROUP = "group"


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """One who can have roles: a user, or a group whose roles all its users have."""

    id: str
    kind: ActorKind = ActorKind.USER


@dataclasses.dataclass(frozen=True, slots=True)
class Role:
    """A name that policy rules ask for."""

    id: str
    name: str
    description: str = ""
    extra: Extra = dataclasses.field(default_factory=dict)

    @property
    def immutable(self) -> bool:
        """Whether the role can be neither renamed nor deleted."""
        return self.name in STANDARD_ROLES


@dataclasses.dataclass(frozen=True, slots=True)
class NewProject:
    """A project to be created; ``parent_id`` "" puts it directly below its domain."""

    name: str
    domain_id: str = DEFAULT_DOMAIN
    parent_id: str = ""
    description: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class NewUser:
    """A user to be created; one without a password cannot log in with one."""

    name: str
    password: str = dataclasses.field(default="", repr=False)
    domain_id: str = DEFAULT_DOMAIN
    default_project_id: str = ""
    description: str = ""
    enabled: bool = True
    extra: Extra = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """New values for a domain, a project, a user or a role; None leaves a field as it is.

    ``domain_id`` cannot be changed, only said again. In ``extra``, None removes a key. ``default_project_id``
    and ``password`` are for users only, ``tags`` for projects.
    """

    name: str | None = None
    description: str | None = None
    enabled: bool | None = None
    domain_id: str | None = None
    default_project_id: str | None = None
    password: str | None = dataclasses.field(default=None, repr=False)
    extra: Extra = dataclasses.field(default_factory=dict)
    tags: tuple[str, ...] | None = None


class ScopeKind(enum.StrEnum):
    """What a token or a role assignment is good for."""

    PROJECT = "project"
    DOMAIN = "domain"
    SYSTEM = "system"
    UNSCOPED = "unscoped"


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """One thing to act on: a project, a domain, the system, or nothing.

    With ``inherited`` it is the projects below a project or a domain, and not itself; roles only are given so.
    """

    kind: ScopeKind
    id: str = ""
    inherited: bool = False


UNSCOPED = Scope(ScopeKind.UNSCOPED)
SYSTEM_SCOPE = Scope(ScopeKind.SYSTEM, SYSTEM)


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    """How a client names a user, a project or a domain: by id, or by name in a domain.

    ``domain_id`` and ``domain_name`` say which domain; both are empty for a domain itself and with an id.
    """

    id: str = ""
    name: str = ""
    domain_id: str = ""
    domain_name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class ScopeRequest:
    """The scope that a client asks for; ``named`` says which project or domain."""

    kind: ScopeKind
    named: Named = dataclasses.field(default_factory=Named)


@dataclasses.dataclass(frozen=True, slots=True)
class PasswordProof:
    """A user and the password that proves it."""

    user: Named
    password: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class TokenProof:
    """A token that was issued before."""

    token: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class CredentialProof:
    """An application credential, named by its id or by its name and user, and its secret."""

    credential: Named
    secret: str = dataclasses.field(repr=False)
    user: Named | None = None


Proof = PasswordProof | TokenProof | CredentialProof


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """An id with the name that belongs to it, and those of its domain (empty for a role or a domain)."""

    id: str
    name: str
    domain_id: str = ""
    domain_name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Assignment:
    """A role that a user or a group has on a project, a domain or the system, with every name.

    ``origin`` is where a role was given that a project has from above, in a list of what is in effect.
    """

    role: Reference
    kind: ActorKind
    actor: Reference
    scope: Scope
    target: Reference
    origin: Scope | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class AssignmentFilter:
    """Which assignments to list; empty means any.

    With ``subtree`` those on the projects below that of ``scope``, too. ``effective`` adds the roles that others
    imply, and tells those of a group for each of its users and those that are inherited for each project below;
    ``inherited`` asks for such only, or for the others only.
    """

    user_id: str = ""
    group_id: str = ""
    role_id: str = ""
    scope: Scope | None = None
    effective: bool = False
    inherited: bool | None = None
    subtree: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a valid token says. ``target`` names the project or the domain of its scope.

    ``roles`` are all roles on the scope, those that others imply included. ``restricted`` is True for a token
    of what may not make application credentials; ``access_rules`` None means that it may ask for all.
    ``application_credential`` names the one that the token came by.
    """

    user: Reference
    scope: Scope
    target: Reference | None
    roles: tuple[Reference, ...]
    methods: tuple[str, ...]
    audit_ids: tuple[str, ...]
    issued_at: datetime.datetime
    expires_at: datetime.datetime
    restricted: bool = False
    password_set_at: datetime.datetime | None = None
    access_rules: tuple[AccessRule, ...] | None = None
    application_credential: Reference | None = None

    @property
    def delegated(self) -> bool:
        """Whether the token came by what a user had made, and not by a proof of being that user."""
        return not DELEGATED.isdisjoint(self.methods)

    def context(self, request_id: str, remote_address: str = "") -> RequestContext:
        """Return the context of a request that came with this token; its token_id is the audit id."""
        names = tuple(role.name for role in self.roles)
        project = self.target if self.scope.kind is ScopeKind.PROJECT else None
        return RequestContext(
            user_id=self.user.id,
            user_name=self.user.name,
            user_domain_id=self.user.domain_id,
            project_id=project.id if project else "",
            project_name=project.name if project else "",
            project_domain_id=project.domain_id if project else DEFAULT_DOMAIN,
            domain_id=self.scope.id if self.scope.kind is ScopeKind.DOMAIN else "",
            system_scope=self.scope.kind is ScopeKind.SYSTEM,
            roles=names,
            is_admin=ADMIN in names,
            request_id=request_id,
            remote_address=remote_address,
            token_id=self.audit_ids[0],
            delegated=self.delegated,
            restricted=self.restricted,
            application_credential_id=self.application_credential.id if self.application_credential else "",
        )


@dataclasses.dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token: the secret, which is nowhere kept, and what it says."""

    secret: str = dataclasses.field(repr=False)
    info: TokenInfo


@dataclasses.dataclass(frozen=True, slots=True)
class RoleGraph:
    """All roles by id, and which roles each of them implies directly."""

    roles: Mapping[str, Role]
    implied: Mapping[str, tuple[str, ...]]

    def expand(self, role_ids: frozenset[str]) -> tuple[Role, ...]:
        """Return the roles with everything that they imply, by name; unknown ids are left out."""
        found: set[str] = set()
        waiting = [role_id for role_id in role_ids if role_id in self.roles]
        while waiting:
            role_id = waiting.pop()
            if role_id not in found:
                found.add(role_id)
                waiting.extend(self.implied.get(role_id, ()))
        return tuple(sorted((self.roles[role_id] for role_id in found), key=lambda role: role.name))
