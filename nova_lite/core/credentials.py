"""What a user may log in with besides a password."""

import dataclasses
import datetime

from nova_lite.core.access_rules import AccessRule


@dataclasses.dataclass(frozen=True, slots=True)
class ApplicationCredential:
    """A secret that acts for a user on one project with some of its roles; the secret itself is not kept.

    ``unrestricted`` ones may make and delete others. ``expires_at`` None means never, ``access_rules`` None that
    it may ask for everything.
    """

    id: str
    user_id: str
    project_id: str
    name: str
    role_ids: tuple[str, ...]
    description: str = ""
    expires_at: datetime.datetime | None = None
    unrestricted: bool = False
    access_rules: tuple[AccessRule, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Ec2Credential:
    """The access key and secret key with which EC2 and S3 clients sign for a user on one project."""

    access: str
    secret: str = dataclasses.field(repr=False)
    user_id: str = ""
    project_id: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class StoredCredential:
    """A secret of any type that a user has identity keep, perhaps for a project; what it means is the user's matter."""

    id: str
    user_id: str
    project_id: str
    type: str
    blob: str = dataclasses.field(repr=False)
