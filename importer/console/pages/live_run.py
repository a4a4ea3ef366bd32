"""A run that is under way: progress, requests against the limit, refusals, pauses, its question, the way to stop it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, counts_list, heading, hint, moment, number
from importer.console.texts import t
from importer.core.states import RowState

_EVERY_S = 1.0
_SHOWN_S = 60
_GRID_LINE = "rgba(128, 138, 158, 0.3)"
"""Seen on light and on dark; console.css colours the texts of the chart."""


def live_card(console: Console, session: Session, job: Job) -> None:
    """Draw it, and keep it up to date until the run ends; then the page shows what came of it."""
    with card(t("live.title")):
        line = ui.label().props("role=status aria-live=off")
        bar = ui.linear_progress(show_value=False).props(f'aria-label="{t("live.progress")}" color=primary')
        buttons = ui.element("div").classes("row")
        with buttons:
            _stop_button(session, job)
        question = ui.element("div")
        heading(t("live.rate"), 3)
        chart = ui.echart(_chart(job, console.profile.delivery.allowance), renderer="svg").classes("chart")
        chart.props(f'role=img aria-label="{t("live.rate")}"')
        with ui.element("div").classes("columns"):
            _counts(job)
            _refusals(job)
            _pauses(job)

    shown: list[str] = [""]

    def update() -> None:
        if job.is_done:
            ui.navigate.reload()
            return
        tally = job.live.tally
        line.set_text(tally.line())
        bar.set_value(tally.done / tally.total if tally.total else 0)
        chart.options["series"][0]["data"] = _points(job)
        chart.update()
        for part in (_counts, _refusals, _pauses):
            part.refresh(job)
        asked = job.live.question.text if job.live.question else ""
        if asked != shown[0]:
            shown[0] = asked
            question.clear()
            with question:
                _question(session, job)

    ui.timer(_EVERY_S, update)


def _stop_button(session: Session, job: Job) -> None:
    def stop() -> None:
        session.require(job.role)
        job.stop.request("sigint")
        button.disable()

    button = ui.button(t("live.stop"), on_click=stop).props("no-caps outline")
    button.set_visibility(session.may(job.role))


def _question(session: Session, job: Job) -> None:
    """The question of the canary, with its answers."""
    asked = job.live.question
    if asked is None:
        return

    def answer(*, yes: bool) -> None:
        session.require(Role.RUN)
        asked.answer(yes=yes)

    with ui.element("div").classes("problem").props("role=alert"):
        ui.label(asked.text)
        if session.may(Role.RUN):
            with ui.element("div").classes("row"):
                ui.button(t("live.yes"), on_click=lambda: answer(yes=True)).props("no-caps")
                ui.button(t("live.no"), on_click=lambda: answer(yes=False)).props("no-caps outline")


@ui.refreshable
def _counts(job: Job) -> None:
    counts_list({state.value: job.live.tally.states[state] for state in RowState})


@ui.refreshable
def _refusals(job: Job) -> None:
    with ui.element("div"):
        heading(t("live.refusals"), 3)
        if not job.live.refusals:
            hint(t("live.none"))
        with ui.element("ul").classes("plain"):
            for code, count in job.live.refusals.most_common(10):
                with ui.element("li").classes("row"):
                    number(count)
                    ui.label(code)


@ui.refreshable
def _pauses(job: Job) -> None:
    with ui.element("div"):
        heading(t("live.pauses"), 3)
        if not job.live.pauses:
            hint(t("live.none"))
        with ui.element("ul").classes("plain"):
            for at, seconds, why in list(job.live.pauses)[-10:]:
                with ui.element("li").classes("row"):
                    moment(at)
                    ui.label(t("live.pause", seconds=f"{seconds:.0f}", why=why or t("live.asked")))


def _points(job: Job) -> list[list[float]]:
    return [[second * 1000, count] for second, count in job.live.each_second(_SHOWN_S)]


def _chart(job: Job, allowance: tuple[tuple[int, float], ...]) -> dict[str, Any]:
    """The chart of requests in each second, with the limit as a line."""
    count, window_s = allowance[0]
    limit = count / window_s
    return {
        "animation": False,
        "grid": {"left": 48, "right": 16, "top": 24, "bottom": 28},
        "xAxis": {"type": "time", "splitNumber": 4, "splitLine": {"show": False}, "axisLabel": {"hideOverlap": True}},
        "yAxis": {"type": "value", "min": 0, "minInterval": 1, "splitLine": {"lineStyle": {"color": _GRID_LINE}}},
        "series": [
            {
                "type": "line",
                "name": t("live.requests"),
                "data": _points(job),
                "showSymbol": False,
                "areaStyle": {"opacity": 0.15},
                "markLine": {
                    "symbol": "none",
                    "data": [{"yAxis": limit, "name": t("live.limit")}],
                    "label": {
                        "formatter": t("live.limit_at", limit=f"{limit:g}"),
                        "position": "insideEndTop",
                        "textBorderColor": "transparent",
                    },
                },
            }
        ],
    }
