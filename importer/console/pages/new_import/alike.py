"""Cells that are alike are fixed at once: what would be changed is shown first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.layout import heading, localized_text
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.runs.drafts.alike import Alike, AlikePreview, Replace, SetTo, alike, correct_alike

Change = Callable[[Callable[..., Draft]], Awaitable[None]]


@dataclass
class AlikeDialog:
    """Asks what all cells that are alike become.

    Args:
        cells: which ones they are.
        change: makes a change of the draft, and shows the page anew.
    """

    console: Console
    session: Session
    draft: str
    cells: Alike
    change: Change

    def open(self) -> None:
        """Show it."""
        with ui.dialog(value=True) as self.dialog, ui.card().classes("story"):
            key = "alike.problem" if self.cells.code else "alike.text"
            heading(t(key, column=self.cells.column))
            self.way = ui.radio({"set": t("alike.set"), "replace": t("alike.replace")}, value="set").props("inline")
            with ui.element("div").classes("row"):
                self.old = ui.input(t("alike.old")).props("outlined dense")
                self.new = ui.input(t("alike.new")).props("outlined dense")
            self.old.bind_visibility_from(self.way, "value", value="replace")
            self.shown = ui.element("div")
            with ui.element("div").classes("row"):
                ui.button(t("alike.preview"), on_click=self._preview).props("no-caps outline")
                self.apply = ui.button(t("alike.apply"), on_click=self._apply).props("no-caps")
                ui.button(t("alike.cancel"), on_click=self.dialog.close).props("no-caps flat")
            self.apply.disable()
            for one in (self.way, self.old, self.new):
                one.on_value_change(self.apply.disable)

    def _wanted(self) -> SetTo | Replace:
        if self.way.value == "set":
            return SetTo(self.new.value or "")
        return Replace(self.old.value or "", self.new.value or "")

    async def _preview(self) -> None:
        self.session.require(Role.PREPARE)
        found = await beside_the_loop(alike, self.console.drafts, self.draft, self.cells, self._wanted())
        self.shown.clear()
        with self.shown:
            _preview_table(found)
        self.apply.set_enabled(found.count > 0)

    async def _apply(self) -> None:
        self.dialog.close()
        await self.change(partial(correct_alike, self.console.drafts, self.draft, self.cells, self._wanted()))


def _preview_table(found: AlikePreview) -> None:
    localized_text("alike.count", count=found.count, alike=found.alike, tag="div").props("role=status")
    if not found.cells:
        return
    with ui.element("table").classes("cells"):
        with ui.element("thead"), ui.element("tr"):
            for name in ("row", "before", "after"):
                with ui.element("th").props("scope=col"):
                    ui.label(t(f"alike.{name}"))
        with ui.element("tbody"):
            for cell in found.cells:
                with ui.element("tr"):
                    for text in (f"{cell.row}", cell.before, cell.after):
                        with ui.element("td"):
                            ui.label(text)
    if found.count > len(found.cells):
        localized_text("alike.more", count=found.count - len(found.cells), tag="p").classes("hint")
