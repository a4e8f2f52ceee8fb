"""Host aggregates of the compute API."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core import clock
from nova_lite.core.aggregate import Aggregate


def listing(call: Call) -> Reply:
    """List aggregates."""
    found = call.cloud.aggregates.listing(call.context)
    return Reply({"aggregates": [_view(call, aggregate) for aggregate in found]})


def show(call: Call) -> Reply:
    """Show an aggregate."""
    return _reply(call, call.cloud.aggregates.get(call.context, call.params["aggregate_id"]))


def create(call: Call) -> Reply:
    """Make an aggregate; the answer tells neither hosts nor metadata, for there are none."""
    wanted = call.body["aggregate"]
    made = call.cloud.aggregates.create(call.context, wanted["name"].strip(), wanted.get("availability_zone"))
    view = _view(call, made)
    del view["hosts"], view["metadata"]
    return Reply({"aggregate": view})


def update(call: Call) -> Reply:
    """Rename an aggregate, or bring it into an availability zone."""
    wanted = call.body["aggregate"]
    changes = {name: wanted[name] for name in ("name", "availability_zone") if name in wanted}
    return _reply(call, call.cloud.aggregates.update(call.context, call.params["aggregate_id"], changes))


def delete(call: Call) -> Reply:
    """Remove an aggregate."""
    call.cloud.aggregates.delete(call.context, call.params["aggregate_id"])
    return Reply()


def add_host(call: Call) -> Reply:
    """Put a host into an aggregate."""
    host = call.body["add_host"]["host"]
    return _reply(call, call.cloud.aggregates.add_host(call.context, call.params["aggregate_id"], host))


def remove_host(call: Call) -> Reply:
    """Take a host out of an aggregate."""
    host = call.body["remove_host"]["host"]
    return _reply(call, call.cloud.aggregates.remove_host(call.context, call.params["aggregate_id"], host))


def set_metadata(call: Call) -> Reply:
    """Set and remove metadata items."""
    items = call.body["set_metadata"]["metadata"]
    return _reply(call, call.cloud.aggregates.set_metadata(call.context, call.params["aggregate_id"], items))


def cache_images(call: Call) -> Reply:
    """Have an aggregate's hosts bring images."""
    image_ids = [wanted["id"] for wanted in call.body["cache"]]
    call.cloud.aggregates.cache_images(call.context, call.params["aggregate_id"], image_ids)
    return Reply()


def _reply(call: Call, aggregate: Aggregate) -> Reply:
    return Reply({"aggregate": _view(call, aggregate)})


def _view(call: Call, aggregate: Aggregate) -> Json:
    updated = aggregate.updated_at
    view: Json = {
        "id": aggregate.id,
        "name": aggregate.name,
        "availability_zone": aggregate.availability_zone,
        "hosts": list(aggregate.hosts),
        "metadata": aggregate.shown_metadata,
        "created_at": clock.iso8601_naive(aggregate.created_at),
        "updated_at": None if updated is None else clock.iso8601_naive(updated),
        "deleted_at": None,
        "deleted": False,
    }
    return view | {"uuid": aggregate.uuid} if call.at_least(41) else view
