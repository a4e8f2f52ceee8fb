"""Identifiers: how they are made and how names are derived from them."""

import re
import secrets
import uuid

_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)


def new_uuid() -> str:
    """Return a random UUID (RFC 9562, version 4) with dashes."""
    return str(uuid.uuid4())


def new_hex() -> str:
    """Return a random UUID as 32 hexadecimal digits, the form of identity's ids."""
    return uuid.uuid4().hex


def new_request_id() -> str:
    """Return a request id in the form that OpenStack clients expect: ``req-<uuid>``."""
    return f"req-{uuid.uuid4()}"


def new_secret(size: int) -> str:
    """Return ``size`` random bytes as text for URLs (RFC 4648, section 5) that no program takes for an option.

    A token or password that began with a dash could not be given to a command line as it is.
    """
    while (secret := secrets.token_urlsafe(size)).startswith("-"):
        pass
    return secret


def is_uuid(text: str) -> bool:
    """Tell whether ``text`` is a UUID, with or without dashes."""
    return _UUID.fullmatch(text) is not None


def new_mac() -> str:
    """Return a random MAC address below the ``fa:16:3e`` prefix, which marks our guests' interfaces."""
    low = secrets.token_bytes(3)
    return f"fa:16:3e:{low[0] & 0x7F:02x}:{low[1]:02x}:{low[2]:02x}"


def tap_name(vif_id: str) -> str:
    """Name the host's end of a guest interface; at most 14 characters, as IFNAMSIZ allows 15."""
    return f"tap{vif_id[:11]}"
