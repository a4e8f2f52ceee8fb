"""JSON documents in files that flags name."""

import json
from pathlib import Path
from typing import Any

from oslo_config import cfg

from nova_lite.core.errors import ConfigurationError


def read_object(conf: cfg.ConfigOpts, flag: str) -> dict[str, Any]:
    """Return the JSON object in the file that ``flag`` names, an empty one where it names none.

    Raises ConfigurationError for a file that cannot be read, or holds something else.
    """
    if not conf[flag]:
        return {}
    try:
        document = json.loads(Path(conf[flag]).read_bytes())
    except OSError as error:
        raise ConfigurationError(f"cannot read {conf[flag]} of the flag --{flag}: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"The file {conf[flag]} of the flag --{flag} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"The file {conf[flag]} of the flag --{flag} holds no JSON object.")
    return document
