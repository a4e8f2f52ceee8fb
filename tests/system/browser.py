"""A browser without a window, spoken to by its DevTools protocol through a pipe."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync",
    "--disable-component-update", "--no-first-run", "--window-size=1024,768", "--remote-debugging-pipe",
)  # fmt: skip
_COMMANDS, _ANSWERS = 3, 4
"""The descriptors by which the browser is spoken to."""


class Browser:
    """A browser with one page; see https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands = commands
        self._answers = answers
        self._read = b""
        self._last = 0
        self._session = ""

    def open(self, url: str) -> None:
        """Open a page."""
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._ask("Page.navigate", url=url)

    def evaluate(self, script: str) -> Any:
        """Return what an expression of the page is, when what it promises has come."""
        answer = self._ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def picture(self, path: Path) -> None:
        """Write what the page looks like as PNG."""
        path.write_bytes(base64.b64decode(self._ask("Page.captureScreenshot", format="png")["data"]))

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            chunk = os.read(self._answers, 1 << 16)
            assert chunk, "the browser has ended"
            self._read += chunk
        message, _, self._read = self._read.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer


@contextlib.contextmanager
def browser(folder: Path, inside: Sequence[str] = (), pin: str = "") -> Iterator[Browser]:
    """Run a browser, after the words that let a program run ``inside`` somewhere; it trusts the key of ``pin``."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium") or "chromium-headless-shell"
    hers_in, commands = os.pipe()
    answers, hers_out = os.pipe()
    script = f'exec "$@" {_COMMANDS}<&{hers_in} {_ANSWERS}>&{hers_out}'
    argv = [*inside, "bash", "-c", script, "bash", program, *_FLAGS, f"--user-data-dir={folder}"]
    if pin:
        argv.append(f"--ignore-certificate-errors-spki-list={pin}")
    process = subprocess.Popen(
        argv, pass_fds=(hers_in, hers_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(hers_in)
    os.close(hers_out)
    try:
        yield Browser(commands, answers)
    finally:
        os.close(commands)
        process.terminate()
        process.wait(30)
        os.close(answers)
