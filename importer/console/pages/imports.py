"""All runs, nights, checks and drafts: the first page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import Request
from nicegui import ui
from nicegui.events import GenericEventArguments

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import PATIENCE_S, PagedTable, card, heading, hint, page_frame
from importer.console.pages.new_import.steps import step_address
from importer.console.texts import t
from importer.core.errors import ImporterError
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.runs.drafts.planning import has_plan, judged
from importer.runs.history import Begun, all_runs, begun_by

_HELD_BACK = ("invalid", "rejected", "failed", "unknown", "unsent")
_ROWS = 25
_NOBODY = Begun("", by_night=False)


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/", response_timeout=PATIENCE_S)
    async def imports(request: Request) -> None:
        session = session_of(request)
        session.require(Role.VIEW)
        lines = await beside_the_loop(_all_lines, console)
        with page_frame(session, t("imports.title"), "/"):
            _table_card(console, session, lines)


def _all_lines(console: Console) -> list[dict[str, Any]]:
    """Drafts and runs, the newest first; a draft that was sent is its run, and only its newest check is shown."""
    runs, begun, drafts = all_runs(console.workspace), begun_by(console.workspace), console.drafts.all()
    counts = {run["run_id"]: run["counts"] for run in runs}
    shown = newest_checks((run, begun.get(run["run_id"], _NOBODY)) for run in runs)
    lines = [_run_line(run, how) for run, how in shown]
    lines += [_draft_line(console, draft, counts) for draft in drafts if not draft.facts.run_id]
    return sorted(lines, key=lambda line: line["began"], reverse=True)


def newest_checks(runs: Iterable[tuple[Mapping[str, Any], Begun]]) -> Iterator[tuple[Mapping[str, Any], Begun]]:
    """Leave out the checks of a draft but for the newest one: whoever fixes a file checks it again and again.

    Args:
        runs: the newest first.
    """
    seen = set()
    for run, begun in runs:
        if run["dry_run"] and begun.draft:
            if begun.draft in seen:
                continue
            seen.add(begun.draft)
        yield run, begun


def _run_line(run: Mapping[str, Any], begun: Begun) -> dict[str, Any]:
    state = "dry_run" if run["dry_run"] else run["state"]
    how = "night" if begun.by_night else "check" if run["dry_run"] else "import"
    counts = run["counts"]
    return {
        **_line(run["run_id"], f"/runs/{run['run_id']}", how, counts),
        "source": run["source"],
        "target": run["target"],
        "state": t(f"imports.{state}") if state else "",
        "kind": _kind(state, counts),
        "who": begun.by,
        "began": _began(run["run_id"]),
    }


def _draft_line(console: Console, draft: Draft, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """A draft: rows as its last check found them, where it is, and who may approve its plan."""
    step = t(f"steps.{draft.facts.stage}")
    return {
        **_line(draft.id, step_address(draft, draft.facts.stage), "draft", counts.get(draft.facts.checked_run, {})),
        "source": draft.facts.file or t("imports.no_file"),
        "target": draft.facts.target or console.profile.target,
        "state": t("imports.at_step", step=step),
        "kind": "mixed",
        "who": draft.made_by,
        "began": draft.changed_at,
        "note": _note(console, draft),
    }


def _line(key: str, address: str, how: str, counts: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": key,
        "address": address,
        "how": t(f"imports.how_{how}"),
        "is_draft": how == "draft",
        "read": counts.get("read", 0),
        "created": counts.get("created", 0) + counts.get("existing", 0),
        "problems": sum(counts.get(one, 0) for one in _HELD_BACK),
    }


def _note(console: Console, draft: Draft) -> str:
    """On which other host the file of a draft is, or who may approve its plan; empty: it is here, waits for nobody."""
    if host := console.drafts.elsewhere(draft):
        return t("imports.elsewhere", host=host)
    if not has_plan(draft):
        return ""
    try:
        found = judged(console.drafts, draft.id)
    except ImporterError:  # its own page says what is wrong with the plan
        return ""
    if not found.is_needed or found.approved:
        return ""
    return t("imports.waits", who=", ".join(map(str, found.who)))


def _began(run_id: str) -> float:
    """When a run began, in seconds since the epoch: its id begins with that."""
    return datetime.strptime(run_id.partition("-")[0], "%Y%m%dT%H%M%S%z").timestamp()


def _kind(state: str, counts: Mapping[str, int]) -> str:
    """The colour of a state."""
    if state == "stopped":
        return "bad"
    return "mixed" if any(counts.get(one, 0) for one in _HELD_BACK) else "good"


def _table_card(console: Console, session: Session, lines: list[dict[str, Any]]) -> None:
    with card(t("imports.all")):
        if not lines:
            hint(t("imports.none"))
            if session.may(Role.PREPARE):
                ui.link(t("nav.new"), "/new")
            return
        with ui.element("div").classes("row"):
            search = ui.input(t("imports.search")).props("type=search clearable outlined dense")
            how, state = _choice("how", lines), _choice("state", lines)
        removes = session.may(Role.PREPARE) and any(line["is_draft"] for line in lines)
        table = PagedTable(_ROWS, columns=list(_columns(removes=removes)), rows=lines, row_key="id")
        table.props("wrap-cells").classes("imports").add_slot("body-cell-source", _LINK)
        table.add_slot("body-cell-state", _STATE)
        table.add_slot("body-cell-began", _BEGAN)
        if removes:
            table.add_slot("body-cell-remove", _REMOVE.replace("LABEL", t("imports.remove")))
            table.on("remove", lambda event: _ask_to_remove(console, session, event))
        search.bind_value_to(table, "filter", forward=lambda text: text or "")
        for choice in (how, state):
            choice.on_value_change(lambda: table.update_rows(list(_chosen(lines, how.value, state.value))))


def _choice(name: str, lines: Sequence[Mapping[str, Any]]) -> ui.select:
    found = ["", *sorted({line[name] for line in lines})]
    choice = ui.select({one: one or t("imports.any") for one in found}, label=t(f"imports.{name}"), value="")
    return choice.props("outlined dense options-dense").style("min-width: 10rem")


def _chosen(lines: Iterable[dict[str, Any]], how: str, state: str) -> Iterator[dict[str, Any]]:
    return (line for line in lines if how in {"", line["how"]} and state in {"", line["state"]})


def _ask_to_remove(console: Console, session: Session, event: GenericEventArguments) -> None:
    """Ask before a draft is removed with its file."""
    key = str(event.args)

    async def remove() -> None:
        session.require(Role.PREPARE)
        dialog.close()
        await beside_the_loop(console.drafts.remove, key)
        ui.navigate.reload()

    draft = console.drafts.find(key)
    host = console.drafts.elsewhere(draft)
    with ui.dialog(value=True) as dialog, ui.card().classes("story"):
        heading(t("imports.remove_title", file=draft.facts.file))
        hint(t("imports.remove_elsewhere", host=host) if host else t("imports.remove_hint"))
        with ui.element("div").classes("row"):
            ui.button(t("imports.remove_yes"), on_click=remove).props("no-caps")
            ui.button(t("imports.remove_no"), on_click=dialog.close).props("no-caps flat")


_LINK = '<q-td :props="props"><a :href="props.row.address">{{ props.value }}</a></q-td>'
_STATE = """<q-td :props="props"><span class="state" :class="props.row.kind">{{ props.value }}</span>
<div v-if="props.row.note" class="hint">{{ props.row.note }}</div></q-td>"""
_BEGAN = """<q-td :props="props">{{ props.value }}<div class="hint">{{ props.col.age(props.row.began) }}</div></q-td>"""
_REMOVE = """<q-td :props="props"><q-btn v-if="props.row.is_draft" flat dense no-caps label="LABEL"
:aria-label="'LABEL ' + props.row.source" @click="() => $parent.$emit('remove', props.row.id)" /></q-td>"""


def _columns(*, removes: bool) -> Iterator[dict[str, Any]]:
    for name in ("source", "how", "state", "target", "who"):
        yield {**_column(name), "align": "left"}
    for name in ("read", "created", "problems"):
        yield {**_column(name), ":format": "importerNumber"}
    yield {**_column("began"), "align": "left", ":format": "importerMoment", ":age": "importerAge"}
    if removes:
        yield {"name": "remove", "label": t("imports.actions"), "field": "is_draft", ":format": "() => ''"}


def _column(name: str) -> dict[str, Any]:
    return {"name": name, "label": t(f"imports.{name}"), "field": name, "sortable": True}
