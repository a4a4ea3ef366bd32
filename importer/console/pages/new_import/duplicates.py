"""Rows that are, or may be, one customer, side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.layout import card, hint, localized_text
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.runs.drafts.duplicates import DuplicateGroup, duplicates

_GROUPS = 20
LeaveOut = Callable[[list[int]], Awaitable[None]]


async def draw_duplicates(console: Console, session: Session, draft: str, leave_out: LeaveOut) -> None:
    """Draw the first groups.

    Args:
        leave_out: leaves rows out, by their numbers.
    """
    found = await beside_the_loop(duplicates, console.drafts, draft, 0, _GROUPS, show_values=session.sees_values)
    with card(t("duplicates.title")):
        if not found.total:
            hint(t("duplicates.none"))
        for group in found.groups:
            _group(group, found.columns, leave_out if session.may(Role.PREPARE) else None)
        if found.total > len(found.groups):
            localized_text("duplicates.more", count=found.total - len(found.groups), tag="p").classes("hint")


def _group(group: DuplicateGroup, columns: tuple[str, ...], leave_out: LeaveOut | None) -> None:
    with ui.element("div").classes(f"problem {group.severity.value}"):
        ui.label(group.title).classes("name")
        with ui.element("div").classes("scroll").props(f'tabindex=0 role=region aria-label="{group.title}"'):
            _table(group, columns, leave_out)


def _table(group: DuplicateGroup, columns: tuple[str, ...], leave_out: LeaveOut | None) -> None:
    """A column for each row, since people compare cells that are beside each other."""
    with ui.element("table").classes("cells"), ui.element("tbody"):
        with ui.element("tr"):
            with ui.element("th").props("scope=row"):
                ui.label(t("fix.row"))
            for row in group.rows:
                with ui.element("th").props("scope=col"):
                    ui.label(f"{row.row}")
                    if leave_out is not None:
                        name = t("duplicates.leave_out", row=row.row)
                        ui.button(name, on_click=lambda n=row.row: leave_out([n])).props("no-caps flat dense")
        for at, column in enumerate(columns):
            with ui.element("tr").classes("differs" if at in group.differing else ""):
                with ui.element("th").props("scope=row"):
                    ui.label(column)
                for row in group.rows:
                    with ui.element("td"):
                        ui.label(row.cells[at].text)
