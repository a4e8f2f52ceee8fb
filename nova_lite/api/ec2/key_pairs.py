"""Key pairs of the EC2 API; each belongs to a user."""

import base64
import dataclasses
from collections.abc import Sequence

from nova_lite.api.ec2 import filters, ids
from nova_lite.api.ec2.call import Ec2Call
from nova_lite.api.ec2.errors import Ec2Error, invalid, missing
from nova_lite.api.ec2.filters import Table
from nova_lite.api.ec2.tags import TAG, Tags, put_tags, tags_by_resource, wanted_tags
from nova_lite.api.ec2.xml import Shape, always, either, many, moment, text
from nova_lite.core.ec2_ids import ec2_id
from nova_lite.core.errors import NotFound
from nova_lite.core.key_pair import KeyPair
from nova_lite.core.resource_tags import ResourceKind
from nova_lite.operations import key_fingerprints
from nova_lite.operations.key_fingerprints import RSA


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A key pair with its tags; ``material`` is the private key where we made it just now."""

    pair: KeyPair
    tags: Tags = dataclasses.field(default_factory=dict)
    material: str = dataclasses.field(default="", repr=False)
    with_public_key: bool = False

    @property
    def id(self) -> str:
        """Its id."""
        return ec2_id("key", self.pair.uuid)

    @property
    def kind(self) -> str:
        """The algorithm of the key."""
        return key_fingerprints.algorithm(self.pair.public_key, self.pair.kind)

    @property
    def fingerprint(self) -> str:
        """Its fingerprint as Amazon computes it."""
        if self.pair.private_fingerprint:
            return self.pair.private_fingerprint
        found = key_fingerprints.of_public_key(self.pair.public_key, self.pair.kind)
        return found or self.pair.fingerprint


_PAIR = Shape(
    text("keyName", lambda shown: shown.pair.name),
    text("keyFingerprint", lambda shown: shown.fingerprint),
    text("keyPairId", lambda shown: shown.id),
    text("keyType", lambda shown: shown.kind),
    moment("createTime", lambda shown: shown.pair.created_at),
    either(lambda shown: shown.with_public_key, text("publicKey", lambda shown: shown.pair.public_key)),
    many("tagSet", lambda shown: sorted(shown.tags.items()), TAG),
)
PAIRS = Shape(many("keySet", lambda pairs: pairs, _PAIR))
PAIR = _PAIR + Shape(either(lambda shown: shown.material, text("keyMaterial", lambda shown: shown.material)))
DELETED = Shape(always("return", True), either(bool, text("keyPairId", lambda key_id: key_id)))

_FILTERS: Table = {
    "fingerprint": lambda shown: shown.fingerprint,
    "key-name": lambda shown: shown.pair.name,
    "key-pair-id": lambda shown: shown.id,
    "key-type": lambda shown: shown.kind,
}


def describe_key_pairs(call: Ec2Call) -> Sequence[Shown]:
    """List the user's key pairs."""
    found = every(call)
    by_name = ids.pick(
        found, call.list("KeyName"), lambda shown: shown.pair.name, "InvalidKeyPair", "key pair"
    )
    ids.starts(call.list("KeyPairId"), "InvalidKeyPairId", "key")
    by_id = ids.pick(found, call.list("KeyPairId"), lambda shown: shown.id, "InvalidKeyPair", "key pair")
    both = [shown for shown in found if shown in by_name and shown in by_id]
    if call.list("KeyName") and call.list("KeyPairId"):
        both = [shown for shown in found if shown in by_name or shown in by_id]
    public = call.get("IncludePublicKey", False)
    both = [dataclasses.replace(shown, with_public_key=public) for shown in both]
    return filters.chosen(both, call.list("Filter"), _FILTERS, lambda shown: shown.tags)


def create_key_pair(call: Ec2Call) -> Shown:
    """Make a key pair, whose private key is shown this once."""
    tags = wanted_tags(call, ResourceKind.KEY_PAIR)
    made = call.cloud.key_pairs.create(
        call.context, call.get("KeyName"), algorithm=call.get("KeyType", RSA), for_ec2=True
    )
    put_tags(call, ResourceKind.KEY_PAIR, made.pair.uuid, tags)
    return Shown(made.pair, tags, made.private_key)


def import_key_pair(call: Ec2Call) -> Shown:
    """Keep a public key."""
    tags = wanted_tags(call, ResourceKind.KEY_PAIR)
    try:
        public_key = base64.b64decode(call.get("PublicKeyMaterial")).decode("ascii").strip()
        key_fingerprints.check_importable(public_key)
    except ValueError as error:
        raise Ec2Error("InvalidKey.Format", "Key is not in valid OpenSSH public key format") from error
    made = call.cloud.key_pairs.create(call.context, call.get("KeyName"), public_key=public_key)
    put_tags(call, ResourceKind.KEY_PAIR, made.pair.uuid, tags)
    return Shown(made.pair, tags)


def delete_key_pair(call: Ec2Call) -> str:
    """Remove a key pair; one that is not there is no error."""
    name, key_id = call.get("KeyName"), call.get("KeyPairId")
    if not (name or key_id):
        raise missing("KeyName")
    if key_id:
        ids.starts([key_id], "InvalidKeyPairId", "key")
    for shown in every(call):
        if (shown.id == key_id) if key_id else (shown.pair.name == name):
            if name and name != shown.pair.name:
                raise invalid("KeyName", name, "It is not the name of the key pair with the id.")
            try:
                call.cloud.key_pairs.delete(call.context, shown.pair.name)
            except NotFound:
                # Somebody else has just done it.
                return ""
            return shown.id
    return ""


def every(call: Ec2Call) -> list[Shown]:
    """Return the user's key pairs with their tags."""
    tags = tags_by_resource(call)
    return [Shown(pair, tags.get(pair.uuid, {})) for pair in call.cloud.key_pairs.listing(call.context)]
