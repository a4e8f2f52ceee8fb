"""User data: what the guest of a server is given to run or read when it starts."""

import base64
import binascii

from nova_lite.core.errors import InvalidInput

_LIMIT = 65535


def check(text: str) -> None:
    """Raise InvalidInput unless the user data is Base64 text (RFC 4648, section 4) of a bearable length."""
    if len(text) > _LIMIT:
        raise InvalidInput(f"User data is longer than {_LIMIT} characters.")
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("User data needs to be valid base 64.") from error
