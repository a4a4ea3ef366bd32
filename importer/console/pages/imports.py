"""All runs, nights and plans: the first page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from fastapi import Request
from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import card, hint, page_frame
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.runs.history import all_runs

_HELD_BACK = ("invalid", "rejected", "failed", "unknown", "unsent")
_ROWS = 25


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/")
    async def imports(request: Request) -> None:
        session = session_of(request)
        session.require(Role.VIEW)
        runs = await beside_the_loop(_runs, console)
        with page_frame(session, t("imports.title"), "/"):
            _runs_card(session, runs)


def _runs(console: Console) -> list[dict[str, Any]]:
    return [_line(run) for run in all_runs(console.workspace)]


def _line(run: Mapping[str, Any]) -> dict[str, Any]:
    counts = run["counts"]
    state = "dry_run" if run["dry_run"] else run["state"]
    return {
        "id": run["run_id"],
        "source": run["source"],
        "target": run["target"],
        "state": t(f"imports.{state}") if state else "",
        "kind": _kind(state, counts),
        "read": counts.get("read", 0),
        "created": counts.get("created", 0) + counts.get("existing", 0),
        "problems": sum(counts.get(one, 0) for one in _HELD_BACK),
        "began": _began(run["run_id"]),
    }


def _began(run_id: str) -> float:
    """When a run began, in seconds since the epoch: its id begins with that."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%S%z").timestamp()


def _kind(state: str, counts: Mapping[str, int]) -> str:
    """The colour of a state."""
    if state == "stopped":
        return "bad"
    return "mixed" if any(counts.get(one, 0) for one in _HELD_BACK) else "good"


def _runs_card(session: Session, runs: list[dict[str, Any]]) -> None:
    with card(t("imports.runs")):
        if not runs:
            hint(t("imports.none"))
            if session.may(Role.PREPARE):
                ui.link(t("nav.new"), "/new")
            return
        with ui.element("div").classes("row"):
            search = ui.input(t("imports.search")).props("type=search clearable outlined dense")
            states = ["", *sorted({run["state"] for run in runs})]
            state = ui.select({one: one or t("imports.any") for one in states}, label=t("imports.state"), value="")
            state.props("outlined dense options-dense").style("min-width: 10rem")
        table = ui.table(columns=_columns(), rows=runs, row_key="id", pagination=_ROWS)
        table.add_slot("body-cell-source", _LINK)
        table.add_slot("body-cell-state", _STATE)
        search.bind_value_to(table, "filter", forward=lambda text: text or "")
        state.on_value_change(lambda event: table.update_rows(_of_state(runs, event.value)))


def _of_state(runs: Iterable[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    return [run for run in runs if not state or run["state"] == state]


_LINK = '<q-td :props="props"><a :href="\'/runs/\' + props.row.id">{{ props.value }}</a></q-td>'
_STATE = '<q-td :props="props"><span class="state" :class="props.row.kind">{{ props.value }}</span></q-td>'


def _columns() -> list[dict[str, Any]]:
    texts = ("source", "state", "target")
    numbers = ("read", "created", "problems")
    columns = [
        {"name": one, "label": t(f"imports.{one}"), "field": one, "align": "left", "sortable": True} for one in texts
    ]
    columns += [
        {"name": one, "label": t(f"imports.{one}"), "field": one, "sortable": True, ":format": "importerNumber"}
        for one in numbers
    ]
    began = {"name": "began", "label": t("imports.began"), "field": "began", "align": "left", "sortable": True}
    return [*columns, {**began, ":format": "importerMoment"}]
