"""Where files that a flag names are found."""

from pathlib import Path

from oslo_config import cfg

from nova_lite.core.errors import ConfigurationError

_SYSTEM_FOLDERS = (Path("/etc/nova_lite"), Path("/etc/nova"))
_SOURCE_FOLDER = Path(__file__).parents[2] / "etc" / "nova_lite"


def find(conf: cfg.ConfigOpts, flag: str) -> Path | None:
    """Return the file that ``flag`` names, or None where there is none.

    A relative name is looked for beside the flag files, in the current folder, in /etc, in the source tree.
    """
    name = Path(conf[flag])
    folders = [*(Path(file).parent for file in conf.flagfile), Path.cwd(), *_SYSTEM_FOLDERS, _SOURCE_FOLDER]
    return next((folder / name for folder in folders if (folder / name).is_file()), None)


def require(conf: cfg.ConfigOpts, flag: str) -> Path:
    """Return the file that ``flag`` names; raises ConfigurationError where there is none."""
    path = find(conf, flag)
    if path is None:
        raise ConfigurationError(f"The file {conf[flag]} of the flag --{flag} does not exist.")
    return path
