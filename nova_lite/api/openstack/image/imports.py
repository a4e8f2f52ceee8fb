"""Imports of images in the image API, and the tasks that show how they went."""

from nova_lite.api.call import Call, Json, Reply
from nova_lite.core import clock
from nova_lite.core.errors import InvalidInput
from nova_lite.core.image import ImageTask
from nova_lite.operations.image_imports import METHODS

_STORE = "files"


def begin(call: Call) -> Reply:
    """Order an import."""
    method = call.body["method"]
    uri = method.get("uri", "")
    if bool(uri) is not (method["name"] == "web-download"):
        raise InvalidInput("The import method web-download needs a uri, and no other takes one.")
    if unknown := set(call.body.get("stores", ())) - {_STORE}:
        raise InvalidInput(f"There is no store {', '.join(sorted(unknown))}.")
    call.cloud.image_imports.begin(call.context, call.params["image_id"], uri)
    return Reply()


def of_image(call: Call) -> Reply:
    """List the imports of an image."""
    found = call.cloud.image_imports.of_image(call.context, call.params["image_id"])
    return Reply({"tasks": [_of_image(task) for task in found]})


def listing(call: Call) -> Reply:
    """List tasks."""
    found = call.cloud.image_imports.listing(call.context)
    return Reply(
        {"tasks": [_short(task) for task in found], "first": "/v2/tasks", "schema": "/v2/schemas/tasks"}
    )


def show(call: Call) -> Reply:
    """Show a task."""
    return Reply(_view(call.cloud.image_imports.get(call.context, call.params["task_id"])))


def methods(call: Call) -> Reply:
    """Say how images can be imported."""
    description = "Import methods available."
    return Reply({"import-methods": {"description": description, "type": "array", "value": list(METHODS)}})


def stores(call: Call) -> Reply:
    """Say where images are kept."""
    return Reply({"stores": [{"id": _STORE, "default": "true"}]})


def _short(task: ImageTask) -> Json:
    return {
        "id": task.id,
        "type": "api_image_import",
        "status": task.status,
        "owner": task.owner,
        "created_at": clock.iso8601(task.created_at),
        "updated_at": clock.iso8601(task.updated_at),
        "expires_at": clock.iso8601(task.expires_at) if task.expires_at else None,
        "self": f"/v2/tasks/{task.id}",
        "schema": "/v2/schemas/task",
    }


def _view(task: ImageTask) -> Json:
    method = {"name": task.method} | ({"uri": task.uri} if task.uri else {})
    return _short(task) | {
        "input": {"image_id": task.image_id, "import_req": {"method": method}},
        "result": {"image_id": task.image_id} if task.status == "success" else None,
        "message": task.message,
    }


def _of_image(task: ImageTask) -> Json:
    return _view(task) | {
        "image_id": task.image_id,
        "request_id": task.request_id,
        "user_id": task.user_id,
    }
