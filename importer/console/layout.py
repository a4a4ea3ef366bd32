"""The frame of every page, and the few pieces that pages are made of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import structlog
from nicegui import app, ui
from nicegui.elements.mixins.text_element import TextElement

from importer.console.access import RefusedError, Role, Session
from importer.console.texts import as_html, t
from importer.core.errors import ImporterError
from importer.profile import HARMLESS_TARGETS, Profile

_HEAD = '<link rel="stylesheet" href="/static/console.css"><script src="/static/console.js"></script>'
_PAGES = {"/": "nav.imports", "/new": "nav.new", "/settings": "nav.settings"}
PATIENCE_S = 60.0
"""How long a page may take: NiceGUI gives up after 3 seconds, and a large file is read anew after a restart."""
_PRIMARY = "#1d4f9c"
_LOOKS_EVERY_S = 15.0
_REPORTS_EVERY_S = 1.0
"""How often a page reports, at most, that somebody does something in it, in seconds."""


@contextmanager
def page_frame(session: Session, title: str, path: str, *, banner: Callable[[], None] | None = None) -> Iterator[None]:
    """Draw the frame of a page; the block draws its content.

    Args:
        path: of the page in the navigation; another one: none of its pages is this one.
        banner: draws what must not be overlooked, above the content.
    """
    ui.add_head_html(_HEAD)
    ui.page_title(f"{title} · {t('app.title')}")
    ui.on_exception(_report)
    ui.on("importer_active", session.go_on, throttle=_REPORTS_EVERY_S)
    ui.timer(_LOOKS_EVERY_S, lambda: None if session.is_alive else ui.navigate.to("/sign-in"))
    ui.colors(primary=_PRIMARY)
    with ui.header(fixed=False, bordered=False).classes("bar"):
        _bar(session, path)
    if banner is not None:
        banner()
    with ui.element("div").classes("content").props("id=content tabindex=-1"):
        heading(title, 1)
        yield


def _bar(session: Session, path: str) -> None:
    ui.link(t("app.skip"), "#content").classes("skip")
    ui.label(t("app.title")).classes("brand")
    with ui.element("nav").props(f'aria-label="{t("nav.label")}"'):
        for target, name in _PAGES.items():
            if target == "/new" and not session.may(Role.PREPARE):
                continue
            link = ui.link(t(name), target)
            if target == path:
                link.props("aria-current=page")
    with ui.element("div").classes("who"):
        ui.label(t("app.user", user=session.user))
        with ui.element("form").props("method=post action=/sign-out"):
            ui.button(t("app.sign_out"), color=None).props("type=submit flat dense no-caps")


def _report(error: Exception) -> None:
    """Say what was refused or went wrong in a handler of this page."""
    if isinstance(error, ImporterError):
        ui.notify(str(error), type="negative", multi_line=True, close_button=True, timeout=0)
        if isinstance(error, RefusedError) and "session" in error.message:
            ui.navigate.to("/sign-in")
        return
    ui.notify(t("app.bug"), type="negative", close_button=True, timeout=0)


def log_bugs() -> None:
    """Have bugs in handlers of pages logged without what they say, which may quote a cell; a refusal is none."""
    logging.getLogger("nicegui").addFilter(lambda record: not isinstance(record.msg, Exception))
    app.on_exception(_log_bug)


def _log_bug(error: Exception) -> None:
    if not isinstance(error, ImporterError):
        structlog.stdlib.get_logger("importer.console").error("bug", exc_info=error)


def heading(text: str, level: int = 2) -> TextElement:
    """A heading."""
    return TextElement(tag=f"h{level}", text=text)


def hint(text: str) -> TextElement:
    """A paragraph that explains."""
    return TextElement(tag="p", text=text).classes("hint")


def number(value: int) -> TextElement:
    """A number, written as its reader writes numbers."""
    return TextElement(tag="data", text=f"{value:,}").props(f"value={value}").classes("number")


def localized_text(key: str, *, tag: str = "span", **values: object) -> ui.html:
    """A text of the catalogue in which whole numbers are written as its reader writes them; values as of `as_html`."""
    return ui.html(as_html(key, **values), sanitize=False, tag=tag)


def counts_list(counts: Mapping[str, int]) -> None:
    """Numbers of rows by state; those of no rows are left out."""
    with ui.element("dl").classes("counts"):
        for name, count in counts.items():
            if count:
                with ui.element("div"):
                    with ui.element("dt"):
                        ui.label(t(f"states.{name}"))
                    with ui.element("dd"):
                        number(count)


def moment(seconds: float) -> TextElement:
    """A moment, written as its reader writes dates.

    Args:
        seconds: since the epoch.
    """
    at = datetime.fromtimestamp(seconds, UTC)
    return TextElement(tag="time", text=f"{at:%Y-%m-%d %H:%M} UTC").props(f"datetime={at.isoformat()}")


@contextmanager
def card(title: str = "", **props: Any) -> Iterator[None]:
    """A section of a page."""
    with ui.element("section").classes("card") as section:
        if title:
            heading(title)
        for name, value in props.items():
            section.props(f'{name}="{value}"')
        yield


class PagedTable(ui.table):
    """A table of NiceGUI with pages; it is sent to its page again only where something of it has changed.

    Cells of a template are made anew whenever the table is sent: a click on one at that moment is lost. Quasar says
    where it is as soon as it is connected, and NiceGUI would answer with the whole table.
    """

    def __init__(self, rows_per_page: int, **others: Any) -> None:
        first = {"sortBy": None, "descending": False, "page": 1, "rowsPerPage": rows_per_page}  # as Quasar says it
        super().__init__(pagination=first, **others)

    @property
    def pagination(self) -> dict[str, Any]:
        """Where it is: the page, rows per page, order."""
        found: dict[str, Any] = self.props["pagination"]
        return found

    @pagination.setter
    def pagination(self, value: dict[str, Any]) -> None:
        if value != self.pagination:
            self.props["pagination"] = value


def cells_table(name: str, header: Iterable[str], rows: Iterable[Sequence[str]]) -> None:
    """A table of texts that scrolls in its card.

    Args:
        rows: the first text of each is its heading.
    """
    with (
        ui.element("div").classes("scroll").props(f'tabindex=0 role=region aria-label="{name}"'),
        ui.element("table").classes("cells"),
    ):
        with ui.element("thead"), ui.element("tr"):
            for text in header:
                with ui.element("th").props("scope=col"):
                    ui.label(text)
        with ui.element("tbody"):
            for first, *others in rows:
                with ui.element("tr"):
                    with ui.element("th").props("scope=row"):
                        ui.label(first)
                    for text in others:
                        with ui.element("td"):
                            ui.label(text)


def target_banner(profile: Profile, target: str) -> None:
    """Say whether real customers are created, above everything else."""
    if target in HARMLESS_TARGETS:
        ui.label(t("banner.rehearsal", target=target)).classes("banner rehearsal")
        return
    settings = profile.targets.get(target)
    host = urlsplit(settings.base_url or "").hostname if settings else ""
    ui.label(t("banner.live", target=target, host=host or "?")).classes("banner live").props("role=alert")
