"""Reading flag files and command lines into plain settings, before anything knows the flags' types.

Two styles of file: lines of ``--flag=value`` (``--flag``, ``--noflag``, nested ``--flagfile=FILE``, comments
after ``#`` or ``//``), and INI with all flags in ``[DEFAULT]``. A file whose first line of substance
begins with ``--`` is of the first style. This module imports nothing heavy: it runs before the choice of
concurrency.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nova_lite.core.errors import ConfigurationError

FILE_FLAGS = ("flagfile", "config_file")
"""The flags that name files of flags."""
_SYSTEM_FILES = (Path("/etc/nova/nova.conf"), Path("/etc/nova_lite/nova.conf"))
_DEEPEST_NESTING = 20


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """A flag as it was written; ``value`` is None for a bare ``--flag``, ``origin`` says where it stands."""

    name: str
    value: str | None
    origin: str


@dataclasses.dataclass(frozen=True, slots=True)
class CommandLine:
    """What a command line says: its flags, the files it names, and what follows the flags."""

    settings: tuple[Setting, ...]
    files: tuple[Path, ...]
    rest: tuple[str, ...]


def flag_name(text: str) -> str:
    """Return the flag's name of ``--some-flag`` in its one spelling, with underscores."""
    return text.lstrip("-").replace("-", "_")


def read_command_line(arguments: Sequence[str], switches: Iterable[str]) -> CommandLine:
    """Split ``arguments`` (without the program) at the first one that is no flag, or after ``--``.

    ``switches`` names the flags that take no value; the others may have theirs in the next argument.
    """
    bare = set(switches) | {f"no{name}" for name in switches} | {f"no_{name}" for name in switches}
    settings: list[Setting] = []
    files: list[Path] = []
    left = list(arguments)
    while left and left[0].startswith("-") and left[0] != "-":
        argument = left.pop(0)
        if argument == "--":
            break
        text, has_value, value = argument.partition("=")
        name = flag_name(text)
        if not has_value and name not in bare and left:
            value, has_value = left.pop(0), "="
        if name in FILE_FLAGS:
            files.append(Path(value))
        else:
            settings.append(Setting(name, value if has_value else None, "on the command line"))
    return CommandLine(tuple(settings), tuple(files), tuple(left))


def find_files(named: Sequence[Path], program: str) -> tuple[Path, ...]:
    """Return the files that were named, or else the first nova.conf in the usual places, or none."""
    if named:
        return tuple(named)
    beside = Path(program).resolve().parent / "nova.conf"
    for path in (beside, Path("nova.conf"), *_SYSTEM_FILES):
        if path.is_file():
            return (path,)
    return ()


def read_file(path: Path, depth: int = 0) -> Iterator[Setting]:
    """Yield the settings of a flag file, nested ones where they stand; raises ConfigurationError."""
    if depth > _DEEPEST_NESTING:
        raise ConfigurationError(f"The flag file {path} includes itself.")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"cannot read the flag file {path}: {reason}") from error
    first = next((line for line in map(str.strip, lines) if line and not _is_comment(line)), "")
    parse = _flag_lines if first.startswith("--") else _ini_lines
    for setting in parse(path, lines):
        if setting.name not in FILE_FLAGS:
            yield setting
            continue
        nested = Path(setting.value or "")
        beside = path.parent / nested
        yield from read_file(beside if beside.is_file() else nested, depth + 1)


def _is_comment(line: str) -> bool:
    return line.startswith(("#", ";", "//"))


def _flag_lines(path: Path, lines: Sequence[str]) -> Iterator[Setting]:
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or _is_comment(line):
            continue
        origin = f"in {path}, line {number}"
        if not line.startswith("--"):
            raise ConfigurationError(f"There is no flag in '{line}' ({origin}): it must begin with --.")
        text, has_value, value = line.partition("=")
        yield Setting(flag_name(text.strip()), value.strip() if has_value else None, origin)


def _ini_lines(path: Path, lines: Sequence[str]) -> Iterator[Setting]:
    pending: Setting | None = None
    for number, raw in enumerate(lines, 1):
        line = raw.strip()
        if not line or _is_comment(line):
            continue
        origin = f"in {path}, line {number}"
        if raw[0].isspace() and pending is not None:
            pending = dataclasses.replace(pending, value=f"{pending.value}{line}")
            continue
        if pending is not None:
            yield pending
            pending = None
        if line.startswith("["):
            if line != "[DEFAULT]":
                raise ConfigurationError(
                    f"There is no section {line} ({origin}): all flags are in [DEFAULT]."
                )
            continue
        name, equals, value = line.partition("=")
        if not equals:
            raise ConfigurationError(f"There is no flag in '{line}' ({origin}): it must be flag = value.")
        pending = Setting(flag_name(name.strip()), _unquote(value.strip()), origin)
    if pending is not None:
        yield pending


def _unquote(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    return value[1:-1] if quoted else value


def peek(name: str, arguments: Sequence[str], program: str, environment: Mapping[str, str]) -> str | None:
    """Return the text of one flag, from the command line, the environment (``NOVA_NAME``) or the files.

    For what must be known before the flags can be loaded; knows neither types nor defaults. Raises
    ConfigurationError for a file that cannot be read.
    """
    said = _values(arguments, (name,))
    if said:
        return said[-1]
    if variable := environment.get(f"NOVA_{name.upper()}"):
        return variable
    named = [Path(value) for value in _values(arguments, FILE_FLAGS)]
    found = None
    for path in find_files(named, program):
        for setting in read_file(path):
            if setting.name == name:
                found = setting.value
    return found


def _values(arguments: Sequence[str], names: Iterable[str]) -> list[str]:
    """Return what is said of flags by these names, in both spellings: ``--flag=value``, ``--flag value``."""
    found = []
    for argument, following in itertools.pairwise((*arguments, "")):
        text, equals, value = argument.partition("=")
        if text.startswith("-") and flag_name(text) in names:
            found.append(value if equals else following)
    return found
