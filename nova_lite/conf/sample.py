"""The flags as text: usage on the command line, the sample file, the reference table of the README."""

import textwrap
from collections.abc import Iterable

from oslo_config import cfg

from nova_lite.conf import flags


def usage(conf: cfg.ConfigOpts, prog: str, about: str) -> str:
    """Return what ``--help`` prints."""
    lines = [f"usage: {prog} [--flagfile=FILE] [--flag=value ...]", "", *([about, ""] if about else [])]
    for title, opts in _sections(conf):
        lines += [f"{title}"]
        for opt in opts:
            head = f"  --[no]{opt.dest}" if isinstance(opt, cfg.BoolOpt) else f"  --{opt.dest}={_shown(opt)}"
            lines += [
                head,
                *textwrap.wrap(_help(opt), 100, initial_indent=" " * 6, subsequent_indent=" " * 6),
            ]
        lines.append("")
    return "\n".join(lines)


def sample(conf: cfg.ConfigOpts) -> str:
    """Return a nova.conf in which every flag stands, commented out, with its help and default."""
    lines = [
        "# Flags of nova_lite with their defaults; made by tools/make_sample.py.",
        "# Every daemon reads this file as nova.conf beside its program, in the current folder,",
        "# in /etc/nova or in /etc/nova_lite, or from --flagfile.",
        "[DEFAULT]",
    ]
    for title, opts in _sections(conf):
        lines += ["", f"# {title}"]
        for opt in opts:
            lines += ["", *textwrap.wrap(_help(opt), 100, initial_indent="# ", subsequent_indent="# ")]
            lines.append(f"#{opt.dest} = {_shown(opt)}".rstrip())
    return "\n".join(lines) + "\n"


def reference(conf: cfg.ConfigOpts) -> str:
    """Return all flags as Markdown tables, one a module."""
    lines = []
    for title, opts in _sections(conf):
        lines += [f"### {title}", "", "| Flag | Default | Meaning |", "|---|---|---|"]
        for opt in opts:
            default = f"`{_shown(opt)}`" if _shown(opt) else ""
            lines.append(f"| `{opt.dest}` | {default} | {_help(opt)} |")
        lines.append("")
    return "\n".join(lines)


def _sections(conf: cfg.ConfigOpts) -> Iterable[tuple[str, list[cfg.Opt]]]:
    ours: set[str] = set()
    for module in flags.MODULES:
        ours |= {opt.dest for opt in module.FLAGS}
        yield (module.__doc__ or "").strip().splitlines()[0], list(module.FLAGS)
    yield "Flags of the log.", [opt for opt in flags.registered(conf) if opt.dest not in ours]


def _help(opt: cfg.Opt) -> str:
    text = " ".join((opt.help or "").split())
    choices = getattr(opt.type, "choices", None)
    return f"{text} One of: {', '.join(str(choice) for choice in choices)}." if choices else text


def _shown(opt: cfg.Opt) -> str:
    default = opt.sample_default if opt.sample_default is not None else opt.default
    if default is None:
        return ""
    return ",".join(map(str, default)) if isinstance(default, list) else str(default)
