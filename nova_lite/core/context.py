"""Who asks: the identity and the request id that travel with every operation, message and log line."""

import dataclasses

from nova_lite.core import ids


@dataclasses.dataclass(frozen=True, slots=True)
class RequestContext:
    """The caller of an operation.

    ``is_admin`` is decided once, by policy, where the token is validated. ``project_id`` is empty for a token
    without project scope. ``delegated`` is True for one who came by an application credential or by EC2 keys, in
    the place of the user that had them made, and ``restricted`` unless these may make others;
    ``application_credential_id`` names the first. ``seen_revision`` is that of what is to be changed, as the caller
    saw it: at any other it is not to be changed; None where the caller did not say.
    """

    user_id: str = ""
    project_id: str = ""
    roles: tuple[str, ...] = ()
    is_admin: bool = False
    request_id: str = dataclasses.field(default_factory=ids.new_request_id)
    user_name: str = ""
    project_name: str = ""
    user_domain_id: str = "default"
    project_domain_id: str = "default"
    remote_address: str = ""
    system_scope: bool = False
    domain_id: str = ""
    token_id: str = ""
    delegated: bool = False
    restricted: bool = False
    application_credential_id: str = ""
    seen_revision: int | None = None

    def scope(self) -> str | None:
        """Return the project to which queries are confined, or None where an admin sees all."""
        return None if self.is_admin else self.project_id


def system_context(request_id: str = "") -> RequestContext:
    """Return the context of work that no user asked for: periodic tasks, repairs, nova-manage."""
    return RequestContext(
        user_name="nova", roles=("admin",), is_admin=True, request_id=request_id or ids.new_request_id()
    )
