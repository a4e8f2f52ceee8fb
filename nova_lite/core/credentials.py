"""What a user may log in with besides a password."""

import dataclasses
import datetime
import hashlib
import json
import re

from nova_lite.core.access_rules import AccessRule
from nova_lite.core.errors import InvalidInput

EC2 = "ec2"
"""The type of stored credentials that are EC2 credentials."""

_ACCESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


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

    @property
    def id(self) -> str:
        """The id by which it is one of all stored credentials."""
        return hashlib.sha256(self.access.encode()).hexdigest()


@dataclasses.dataclass(frozen=True, slots=True)
class StoredCredential:
    """A secret of any type that a user has identity keep, perhaps for a project; what it means is the user's matter."""

    id: str
    user_id: str
    project_id: str
    type: str
    blob: str = dataclasses.field(repr=False)

    @property
    def is_ec2(self) -> bool:
        """Whether it is an EC2 credential, which is kept as such."""
        return self.type.lower() == EC2


def stored_ec2(credential: Ec2Credential) -> StoredCredential:
    """Return an EC2 credential as one of all stored ones."""
    blob = json.dumps({"access": credential.access, "secret": credential.secret, "trust_id": None})
    return StoredCredential(credential.id, credential.user_id, credential.project_id, EC2, blob)


def read_ec2(stored: StoredCredential) -> Ec2Credential:
    """Return the EC2 credential that a stored one is; raises InvalidInput for a blob that holds none."""
    try:
        blob = json.loads(stored.blob)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The blob of an EC2 credential is a JSON object.") from error
    keys = blob if isinstance(blob, dict) else {}
    access, secret = keys.get("access"), keys.get("secret")
    if not isinstance(access, str) or not _ACCESS.fullmatch(access):
        raise InvalidInput("The access key of an EC2 credential has 1 to 64 letters, digits, dots and dashes.")
    if not isinstance(secret, str) or not secret.isprintable() or not 1 <= len(secret) <= 255:
        raise InvalidInput("The secret key of an EC2 credential has 1 to 255 characters.")
    unknown = [name for name, value in keys.items() if name not in ("access", "secret") and value is not None]
    if unknown:
        raise InvalidInput(f"The blob of an EC2 credential has no {unknown[0][:64]}.")
    if not stored.project_id:
        raise InvalidInput("An EC2 credential needs a project_id.")
    return Ec2Credential(access, secret, stored.user_id, stored.project_id)
