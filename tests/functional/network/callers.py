"""Who speaks to the network API of a host alone, and how."""

from collections.abc import Callable

import webob

from nova_lite.core.context import RequestContext

DEMO = RequestContext(user_id="u1", project_id="demo", roles=("member",))
OTHER = RequestContext(user_id="u2", project_id="other", roles=("member",))
READER = RequestContext(user_id="u3", project_id="demo", roles=("reader",))
ADMIN = RequestContext(user_id="root", project_id="ops", roles=("admin",), is_admin=True)

Ask = Callable[..., webob.Response]


def problem(response: webob.Response) -> str:
    return str(response.json["NeutronError"]["message"])
