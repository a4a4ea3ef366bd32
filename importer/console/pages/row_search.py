"""A customer is searched in a run, and a row's whole story is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.layout import card, heading, hint, moment
from importer.console.texts import t
from importer.core.contract import FieldTable
from importer.core.runtime import beside_the_loop
from importer.runs.explain import explain
from importer.runs.search import MOST, FoundRow, search


def search_card(console: Console, session: Session, run_id: str) -> None:
    """Draw the field and what it finds."""
    with card(t("search.title")):
        hint(t("search.hint" if session.sees_values else "search.hint_masked"))

        async def look() -> None:
            session.require(Role.VIEW)
            found = await beside_the_loop(
                search, console.workspace, run_id, text.value or "", show_values=session.sees_values
            )
            results.clear()
            with results:
                _found(found, story)

        async def story(row: int) -> None:
            session.require(Role.VIEW)
            facts = await beside_the_loop(explain, console.workspace, run_id, row, show_values=session.sees_values)
            with ui.dialog(value=True) as dialog, ui.card().classes("story"):
                _story(facts, console.profile.contract.fields)
                ui.button(t("search.close"), on_click=dialog.close).props("no-caps")

        with ui.element("form").classes("row").on("submit.prevent", look):
            text = ui.input(t("search.field")).props("type=search outlined dense")
            ui.button(t("search.button")).props("type=submit no-caps")
        results = ui.element("div")


def _found(found: list[FoundRow], story: Any) -> None:
    if not found:
        hint(t("search.none"))
        return
    if len(found) == MOST:
        hint(t("search.most", count=MOST))
    with ui.element("ul").classes("plain"):
        for one in found:
            with ui.element("li").classes("row"):
                name = t("search.row", row=one.row)
                ui.button(name, on_click=lambda row=one.row: story(row)).props("no-caps flat dense")
                ui.label(t(f"states.{one.state}")).classes("state")
                ui.label(one.customer_id)
                ui.label(" · ".join(cell for cell in one.cells if cell)[:120]).classes("hint")


def _story(facts: Mapping[str, Any], fields: FieldTable) -> None:
    """Everything that is known of a row, in the order in which it happened."""
    heading(t("search.story", row=facts["row"], state=t(f"states.{facts['state']}")))
    if facts["customer_id"]:
        ui.label(t("search.customer", id=facts["customer_id"]))
    _pairs(t("search.cells"), {name: text for name, text in facts["cells"].items() if text})
    for issue in facts["issues"]:
        ui.label(f"{issue['column'] or issue['field']}: {issue['message']}").classes(f"issue {issue['severity']}")
    _pairs(
        t("search.changes"),
        {fields.label(one["field"]): f"{one['before']} → {one['after']}" for one in facts["changes"]},
    )
    if facts["body"]:
        heading(t("search.body"), 3)
        ui.code(json.dumps(facts["body"], indent=2, ensure_ascii=False), language="json")
    _attempts(facts["attempts"])


def _attempts(attempts: Sequence[Mapping[str, Any]]) -> None:
    if not attempts:
        return
    heading(t("search.attempts"), 3)
    with ui.element("dl").classes("pairs"):
        for one in attempts:
            with ui.element("dt"):
                moment(datetime.fromisoformat(one["started_at"]).timestamp())
            with ui.element("dd"):
                ui.label(_attempt(one))


def _attempt(one: Mapping[str, Any]) -> str:
    status = one["http_status"] or t("search.no_answer")
    return f"{one['kind']}: {status} {one['error_code']} ({one['verdict']})"


def _pairs(title: str, pairs: Mapping[str, str]) -> None:
    if not pairs:
        return
    heading(title, 3)
    with ui.element("dl").classes("pairs"):
        for name, value in pairs.items():
            with ui.element("dt"):
                ui.label(name)
            with ui.element("dd"):
                ui.label(value)
