"""The paste factory of the OpenStack applications."""

from nova_lite.api.app import Application
from nova_lite.api.openstack.routes import ROUTES
from nova_lite.core.errors import ConfigurationError


def app_factory(global_conf: dict[str, str], api: str) -> Application:
    """Build the application of ``api`` for a paste file; raises ConfigurationError for an unknown one."""
    if api not in ROUTES:
        raise ConfigurationError(f"The paste file names the API {api}; known are {', '.join(ROUTES)}.")
    return Application(api, ROUTES[api])
