"""The log of a daemon: oslo.log as the flags say, with the request id on every line."""

import logging

import oslo_log.log
from oslo_config import cfg

from nova_lite import __version__
from nova_lite.core import logs
from nova_lite.core.errors import ConfigurationError


def setup(conf: cfg.ConfigOpts) -> None:
    """Send the log where the flags say; raises ConfigurationError for a file that cannot be written.

    One that logrotate moves away is begun anew with the next line: oslo.log's handler looks whether it is still there.
    """
    logs.install()
    try:
        oslo_log.log.setup(conf, "nova_lite", __version__)
    except (OSError, oslo_log.log.LogConfigError) as error:
        raise ConfigurationError(f"cannot write the log: {error}") from error
    # What it says at each start of a daemon concerns nobody.
    logging.getLogger("oslo_service.backend").setLevel(logging.WARNING)
    set_level(conf)


def set_level(conf: cfg.ConfigOpts) -> None:
    """Log as much as ``debug`` and ``verbose`` say."""
    if conf.debug:
        level = logging.DEBUG
    else:
        level = logging.INFO if conf.verbose else logging.WARNING
    logging.getLogger().setLevel(level)
