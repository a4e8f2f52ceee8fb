"""What the consoles of guests printed, in a file for each, kept to a bearable length."""

import contextlib
from pathlib import Path

_CONSOLE_SLACK = 4


class ConsoleLogs:
    """The files of the consoles of all guests below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, name: str) -> Path:
        """Return the file of a guest's console."""
        return self._folder / name / "console.log"

    def end(self, name: str, limit: int) -> bytes:
        """Return at most the last ``limit`` bytes of a guest's console."""
        try:
            with self.of(name).open("rb") as log:
                log.seek(0, 2)
                log.seek(max(0, log.tell() - limit))
                return log.read()
        except FileNotFoundError:
            return b""

    def bound(self, limit: int) -> None:
        """Shorten consoles that have grown to several times ``limit`` to that length."""
        for path in self._folder.glob("instance-*/console.log"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_size > _CONSOLE_SLACK * limit:
                    _shorten(path, limit)


def _shorten(path: Path, limit: int) -> None:
    """Keep the end of a file that somebody goes on to append to."""
    with path.open("r+b") as log:
        log.seek(-limit, 2)
        end = log.read()
        log.truncate(0)
    with path.open("ab") as log:
        log.write(end)
