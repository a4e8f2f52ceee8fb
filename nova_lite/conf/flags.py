"""Loading the flags of a process: the table of all of them, the files, the command line, and clear errors."""

import difflib
import os
import sys
from collections.abc import Iterable, Sequence

import oslo_log.log
from oslo_config import cfg

from nova_lite import __version__
from nova_lite.conf import (
    api,
    base,
    cert,
    compute,
    console,
    database,
    dns,
    ec2,
    files,
    identity,
    image,
    libvirt,
    metadata,
    network,
    objectstore,
    quota,
    rpc,
    scheduler,
)
from nova_lite.conf.files import Setting
from nova_lite.conf.former import FORMER
from nova_lite.core.errors import ConfigurationError

MODULES = (
    base, database, rpc, api, ec2, metadata, identity, image, compute, libvirt, console, network, dns, scheduler,
    objectstore, cert, quota,
)  # fmt: skip
"""Every module of flags, in the order of the sample file."""

_TRUE = {"true", "1", "yes", "on"}
_FALSE = {"false", "0", "no", "off"}
_NOT_OURS = {"config_source", "shell_completion", "config_file", "config_dir"}


def load(arguments: Sequence[str], prog: str, about: str = "") -> cfg.ConfigOpts:
    """Return the flags of a process; see ``nova_lite.conf.load``."""
    conf, rest = load_with_arguments(arguments, prog, about)
    if rest:
        raise ConfigurationError(f"{prog} takes only flags, but was given '{rest[0]}'.")
    return conf


def load_with_arguments(
    arguments: Sequence[str], prog: str, about: str = ""
) -> tuple[cfg.ConfigOpts, tuple[str, ...]]:
    """Return the flags, and the arguments that follow them; otherwise as ``load``."""
    conf = new_flags()
    names = _Names(registered(conf))
    line = files.read_command_line(arguments, names.switches())
    _answer_questions(line.settings, conf, prog, about)
    paths = files.find_files(line.files, sys.argv[0])
    written = [setting for path in paths for setting in files.read_file(path)]
    settings = [names.resolve(setting) for setting in (*written, *line.settings)]
    _apply(conf, settings, prog)
    _check(conf, settings)
    conf.set_override("flagfile", [str(path.resolve()) for path in paths])
    return conf, line.rest


def defaults() -> cfg.ConfigOpts:
    """Return all flags with their defaults, of no file and no command line."""
    conf = new_flags()
    _apply(conf, (), "nova")
    return conf


def reload(conf: cfg.ConfigOpts, arguments: Sequence[str], prog: str) -> tuple[str, ...]:
    """Read the files again and take over the flags that may change while a daemon runs.

    Returns the names of the flags that changed but need a restart; raises as ``load``.
    """
    fresh, _ = load_with_arguments(arguments, prog)
    stale = []
    for opt in registered(conf):
        if conf[opt.dest] == fresh[opt.dest]:
            continue
        if opt.mutable:
            conf.set_override(opt.dest, fresh[opt.dest])
        else:
            stale.append(opt.dest)
    return tuple(stale)


def new_flags() -> cfg.ConfigOpts:
    """Return all flags registered, before any value is given."""
    conf = cfg.ConfigOpts()
    oslo_log.log.register_options(conf)
    for module in MODULES:
        conf.register_opts(module.FLAGS)
    return conf


def needs_value(argument: str) -> bool:
    """Tell whether ``--flag``, without one, is a flag that has its value in the next argument."""
    names = _Names(registered(new_flags()))
    name = files.flag_name(argument)
    return name in files.FILE_FLAGS or (names.knows(name) and name not in names.switches())


def secrets(conf: cfg.ConfigOpts) -> set[str]:
    """Return the names of the flags whose values nobody is to see."""
    return {opt.dest for opt in registered(conf) if opt.secret}


def registered(conf: cfg.ConfigOpts) -> list[cfg.Opt]:
    """Return every flag of ``conf``, those of oslo.log included."""
    return [info["opt"] for name, info in conf._opts.items() if name not in _NOT_OURS]


def _apply(conf: cfg.ConfigOpts, settings: Iterable[Setting], prog: str) -> None:
    """Give ``settings`` to oslo.config as the one file that it reads; it lives in memory alone."""
    lines = ["[DEFAULT]", *(f"{setting.name} = {setting.value}" for setting in settings), ""]
    descriptor = os.memfd_create("flags")
    try:
        with open(descriptor, "w", encoding="utf-8", closefd=False) as file:
            file.write("\n".join(lines))
        conf(
            [],
            project="nova_lite",
            prog=prog,
            version=__version__,
            default_config_files=[f"/proc/self/fd/{descriptor}"],
            default_config_dirs=[],
        )
    finally:
        os.close(descriptor)


def _check(conf: cfg.ConfigOpts, settings: Iterable[Setting]) -> None:
    """Look at every value once, so that one with a bad ``$name`` in it stops the daemon at its start."""
    origins = {setting.name: setting for setting in settings}
    for opt in registered(conf):
        try:
            conf[opt.dest]
        except (cfg.Error, KeyError, ValueError) as error:
            setting = origins.get(opt.dest)
            if setting is None:
                continue  # A default that refers to the bad one, which is reported by itself.
            raise _bad_value(opt, setting, "what it refers to with $ is no flag or does not fit") from error


def _bad_value(opt: cfg.Opt, setting: Setting, reason: str) -> ConfigurationError:
    shown = "" if opt.secret else f" '{setting.value}'"
    return ConfigurationError(f"The flag --{opt.dest} has a bad value{shown} ({setting.origin}): {reason}.")


class _Names:
    """All flags by name, in every spelling."""

    def __init__(self, opts: Iterable[cfg.Opt]) -> None:
        self._opts: dict[str, cfg.Opt] = {}
        for opt in opts:
            for name in (opt.dest, *(old.name for old in opt.deprecated_opts)):
                self._opts[files.flag_name(name or "")] = opt

    def switches(self) -> list[str]:
        """Return the names of the flags that are on or off."""
        own = [name for name, opt in self._opts.items() if isinstance(opt, cfg.BoolOpt)]
        return [*own, "help", "h", "version"]

    def knows(self, name: str) -> bool:
        """Tell whether there is a flag of a name, in any spelling."""
        return name in self._opts

    def resolve(self, setting: Setting) -> Setting:
        """Return ``setting`` under its flag's own name and with a value; raises ConfigurationError."""
        opt = self._opts.get(setting.name)
        if opt is None:
            return self._off(setting)
        if setting.value is not None:
            _check_type(opt, setting)
            return Setting(opt.dest, setting.value, setting.origin)
        if isinstance(opt, cfg.BoolOpt):
            return Setting(opt.dest, "True", setting.origin)
        raise ConfigurationError(f"The flag --{setting.name} needs a value ({setting.origin}).")

    def _off(self, setting: Setting) -> Setting:
        """Read ``--noflag`` and ``--no-flag``, or say that there is no such flag."""
        positive = setting.name.removeprefix("no").removeprefix("_")
        opt = self._opts.get(positive) if setting.name.startswith("no") else None
        if isinstance(opt, cfg.BoolOpt):
            return Setting(opt.dest, _opposite(setting), setting.origin)
        for name in (setting.name, positive):
            if name in FORMER:
                raise ConfigurationError(f"There is no flag --{name} any more ({setting.origin}). {FORMER[name]}")
        close = difflib.get_close_matches(setting.name, self._opts, n=1)
        hint = f" Did you mean --{close[0]}?" if close else ""
        raise ConfigurationError(f"There is no flag --{setting.name} ({setting.origin}).{hint}")


def _check_type(opt: cfg.Opt, setting: Setting) -> None:
    value = setting.value or ""
    if "$" in value:
        return
    try:
        opt.type(value)
    except ValueError as error:
        raise _bad_value(opt, setting, str(error)) from error


def _opposite(setting: Setting) -> str:
    text = "true" if setting.value is None else setting.value.lower()
    if text in _TRUE:
        return "False"
    if text in _FALSE:
        return "True"
    raise ConfigurationError(
        f"The flag --{setting.name} is on or off, not '{setting.value}' ({setting.origin})."
    )


def _answer_questions(settings: Iterable[Setting], conf: cfg.ConfigOpts, prog: str, about: str) -> None:
    asked = {setting.name for setting in settings}
    if "version" in asked:
        print(f"{prog} {__version__}")
        sys.exit(0)
    if asked & {"help", "h"}:
        from nova_lite.conf import sample

        print(sample.usage(conf, prog, about))
        sys.exit(0)
