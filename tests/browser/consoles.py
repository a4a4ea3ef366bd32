"""A console in a process of its own, and people before it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.acceptance.conftest import User

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_HELD_SOCKET = """(() => {
  const held = [], timer = window.setTimeout;
  for (const name of ["onopen", "onmessage"]) {
    const listen = Object.getOwnPropertyDescriptor(WebSocket.prototype, name).set;
    Object.defineProperty(WebSocket.prototype, name, { set(handler) {
      listen.call(this, (event) => {
        const go = () => handler.call(this, event);
        if (held.gone) go(); else held.push(go);
      });
    }});
  }
  window.connectAtLast = () => { held.gone = true; for (const go of held) go(); };
  window.setTimeout = (what, after, ...more) => timer(what, after + 30 * Math.random(), ...more);
})()"""


def connects_late(page: Page) -> None:
    """Have what the page opens from now on wait for `connected`; timers run late in it, as on a busy computer."""
    page.add_init_script(_HELD_SOCKET)


def connected(page: Page) -> None:
    """Let the page be connected to its console."""
    page.evaluate("connectAtLast()")


@dataclass
class ConsoleServer:
    """A console: started, stopped, killed and started again at the same address.

    Args:
        options: further ones of the command.
        environ: credentials, and whatever else it is given.
    """

    user: User
    options: tuple[str | Path, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    link: str = ""
    process: subprocess.Popen[str] | None = None
    pages: list[Page] = field(default_factory=list)
    """Those that show it: they are left before it ends, since a browser reports what it can no longer reach."""

    def start(self) -> None:
        """Start it, and wait until it takes requests."""
        port = self.url.rpartition(":")[2] or "0"
        self.process = self.user.starts("console", "--json", "--port", port, *self.options, **self.environ)
        ready = self._next_object()
        self.url, self.link = ready["url"], ready["link"]

    def _next_object(self) -> dict[str, str]:
        """The next JSON object that it prints."""
        assert self.process is not None
        assert self.process.stdout is not None
        reported = ""
        while not reported.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read() if self.process.stderr else ""
            reported += line
        found: dict[str, str] = json.loads(reported)
        return found

    def stop(self) -> tuple[int, str]:
        """Stop it as Ctrl-C does; returns its exit code and what it has written for people."""
        assert self.process is not None
        self._leave()
        self.process.terminate()
        out, err = self.process.communicate(timeout=60)
        assert "Traceback" not in out + err
        return self.process.returncode, err

    def kill(self) -> None:
        """Kill it at once."""
        assert self.process is not None
        self._leave()
        self.process.kill()
        self.process.communicate(timeout=60)

    def _leave(self) -> None:
        for page in self.pages:
            if not page.is_closed():
                page.goto("about:blank")

    def enters(self, page: Page) -> None:
        """Let the reader of a page in by the link; it is on the first page then, and the next link is known."""
        self.pages.append(page)
        page.goto(self.link)
        page.get_by_role("heading", level=1).wait_for()
        self.link = self._next_object()["link"]

    def opens_run(self, page: Page, file: str) -> None:
        """Open the run of a file from the list of imports: fields of both pages have the same names."""
        page.get_by_role("link", name=file).click()
        page.get_by_role("heading", level=1, name=file).wait_for()

    def opens_story(self, page: Page, text: str, row: int) -> Locator:
        """Search a run for a text, and open what happened to a row that was found."""
        page.get_by_label("Search", exact=True).fill(text)
        page.get_by_label("Search", exact=True).press("Enter")
        page.get_by_role("button", name=f"Row {row}", exact=True).click()
        story = page.get_by_role("dialog")
        story.get_by_text("Requests made").wait_for()
        return story

    def signs_in(self, page: Page, name: str, password: str) -> None:
        """Sign a user in."""
        self.pages.append(page)
        page.goto(f"{self.url}/sign-in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text(f"Signed in as {name}").wait_for()


@contextmanager
def console_of(user: User, *options: str | Path, **environ: str) -> Iterator[ConsoleServer]:
    """A console for a block; it may be stopped and started in it.

    Args:
        options: further ones of the command.
        environ: what its process is given besides what the user has.
    """
    console = ConsoleServer(user, options, environ)
    console.start()
    try:
        yield console
    finally:
        if console.process is not None and console.process.poll() is None:
            console.stop()
