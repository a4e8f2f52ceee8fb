"""nova-manage: the operator's command line, with direct access to the database.

``nova-manage <category> <action> [options]``; category and action may be shortened while they stay unique.
Exits with 0 when the command did its work, 1 when it could not (one sentence on stderr), 2 for wrong usage.
"""

import argparse
import logging
import sys
from collections.abc import Sequence

from nova_lite import __version__, concurrency
from nova_lite.core.errors import NovaError, sentence

LOG = logging.getLogger(__name__)


def main() -> int:
    """Run the command line and return the exit status."""
    concurrency.choose(concurrency.Mode.THREADING)
    flags, words = _split(sys.argv[1:])
    try:
        return _run(flags, words)
    except NovaError as error:
        print(f"nova-manage: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        LOG.debug("the command cannot go on", exc_info=True)
        print(f"nova-manage: {sentence(error)} --debug=true shows where.", file=sys.stderr)
        return 1


def _split(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Separate the flags before the category, which are the daemons', from the command's own words."""
    from nova_lite.conf import needs_value

    flags: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("--") and rest[0] not in ("--help", "--version"):
        word = rest.pop(0)
        flags.append(word)
        if "=" not in word and rest and needs_value(word):
            flags.append(rest.pop(0))
    return flags, rest


def _run(flags: list[str], words: list[str]) -> int:
    from nova_lite.cmd.manage.commands import COMMANDS
    from nova_lite.cmd.manage.table import Command

    categories = sorted({command.category for command in COMMANDS})
    parser = argparse.ArgumentParser(
        prog="nova-manage", description="The operator's command line of nova_lite."
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("category", help=", ".join(categories))
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="an action and its options")
    asked = parser.parse_args(words)
    category = _unique(parser, asked.category, categories)
    actions = {command.action: command for command in COMMANDS if command.category == category}
    inner = argparse.ArgumentParser(prog=f"nova-manage {category}")
    subparsers = inner.add_subparsers(dest="action", required=True, metavar="action")
    for command in actions.values():
        _add(subparsers.add_parser(command.action, help=command.help, description=command.help), command)
    rest = list(asked.rest)
    if len(actions) == 1 and (not rest or (rest[0].startswith("-") and rest[0] not in ("-h", "--help"))):
        rest.insert(0, next(iter(actions)))
    if rest and not rest[0].startswith("-"):
        rest[0] = _unique(inner, rest[0], sorted(actions))
    options = vars(inner.parse_args(rest))
    chosen: Command = actions[options.pop("action")]
    return _perform(flags, chosen, options)


def _perform(flags: list[str], command: "Command", options: dict[str, object]) -> int:  # type: ignore[name-defined]  # noqa: F821
    from nova_lite.cmd import wiring
    from nova_lite.cmd.manage.table import Desk
    from nova_lite.conf import load

    values = {name: value for name, value in options.items() if not name.startswith("_")}
    for option in command.options:
        given = options.get(f"_{option.name}")
        if given is not None:
            values[option.name] = given
        if option.required and values.get(option.name) in (None, ""):
            print(f"nova-manage: {command.category} {command.action} needs --{option.name}", file=sys.stderr)
            return 2
    conf = load(flags, prog="nova-manage")
    logging.basicConfig(level=logging.DEBUG if conf.debug else logging.WARNING, format="%(message)s")
    with wiring.desk(conf, checked=command.needs_tables) as (database, cloud):
        return command.run(Desk(conf, database, cloud), **values) or 0


def _add(parser: argparse.ArgumentParser, command: "Command") -> None:  # type: ignore[name-defined]  # noqa: F821
    for option in command.options:
        spellings = dict.fromkeys((f"--{option.name}", f"--{option.name.replace('_', '-')}"))
        if option.switch:
            parser.add_argument(*spellings, dest=option.name, action="store_true", help=option.help)
            continue
        parser.add_argument(
            *spellings,
            dest=option.name,
            default=option.default,
            type=option.kind,
            choices=option.choices or None,
            help=option.help,
        )
    for option in command.options:
        if not option.switch:
            parser.add_argument(
                f"_{option.name}",
                metavar=option.name,
                nargs="?",
                type=option.kind,
                choices=option.choices or None,
                help=option.help,
            )


def _unique(parser: argparse.ArgumentParser, word: str, names: Sequence[str]) -> str:
    """Return the one name that ``word`` is or begins; ends the program with a usage error otherwise."""
    if word in names:
        return word
    found = [name for name in names if name.startswith(word)]
    if len(found) != 1:
        parser.error(f"{word!r} is {'ambiguous' if found else 'not known'}: {', '.join(found or names)}")
    return found[0]
