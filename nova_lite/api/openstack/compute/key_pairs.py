"""Key pairs of the compute API."""

import urllib.parse

from nova_lite.api.call import Call, Json, Reply
from nova_lite.api.openstack.compute.queries import limit_of
from nova_lite.core import clock
from nova_lite.core.errors import Forbidden
from nova_lite.core.key_pair import KeyPair


def listing(call: Call) -> Reply:
    """List key pairs."""
    limit = limit_of(call) if call.at_least(35) else call.conf.osapi_max_limit
    marker = call.query("marker", "") if call.at_least(35) else ""
    found = call.cloud.key_pairs.listing(call.context, user_id=_owner(call), marker=marker or "", limit=limit)
    body: Json = {"keypairs": [{"keypair": _view(call, pair)} for pair in found]}
    if found and call.query("limit") and len(found) == limit and call.at_least(35):
        kept = [(name, value) for name, value in call.request.GET.items() if name != "marker"]
        query = urllib.parse.urlencode([*kept, ("marker", found[-1].name)])
        body["keypairs_links"] = [{"rel": "next", "href": call.url(f"/v2.1/os-keypairs?{query}")}]
    return Reply(body)


def create(call: Call) -> Reply:
    """Import a public key, or make a pair."""
    wanted = call.body["keypair"]
    created = call.cloud.key_pairs.create(
        call.context,
        wanted["name"],
        public_key=wanted.get("public_key") or "",
        kind=wanted.get("type", "ssh"),
        user_id=_allowed(call, wanted.get("user_id", "")),
    )
    shown = _view(call, created.pair) | {"user_id": created.pair.user_id}
    if created.private_key:
        shown["private_key"] = created.private_key
    return Reply({"keypair": shown}, status=201 if call.at_least(2) else 200)


def show(call: Call) -> Reply:
    """Show a key pair."""
    pair = call.cloud.key_pairs.get(call.context, call.params["name"], _owner(call))
    shown = _view(call, pair) | {
        "user_id": pair.user_id,
        "id": pair.id,
        "created_at": clock.iso8601_naive(pair.created_at),
        "deleted": False,
        "deleted_at": None,
        "updated_at": None,
    }
    return Reply({"keypair": shown})


def delete(call: Call) -> Reply:
    """Remove a key pair."""
    call.cloud.key_pairs.delete(call.context, call.params["name"], _owner(call))
    return Reply(status=204 if call.at_least(2) else 202)


def _view(call: Call, pair: KeyPair) -> Json:
    shown: Json = {"name": pair.name, "public_key": pair.public_key, "fingerprint": pair.fingerprint}
    if call.at_least(2):
        shown["type"] = pair.kind
    return shown


def _owner(call: Call) -> str:
    return _allowed(call, call.query("user_id", "") or "") if call.at_least(10) else ""


def _allowed(call: Call, user_id: str) -> str:
    """Return the user whose key pairs are meant; raises Forbidden for another's unless an admin asks."""
    if user_id and user_id != call.context.user_id and not call.context.is_admin:
        raise Forbidden("Policy doesn't allow os_compute_api:os-keypairs of another user to be performed.")
    return user_id
