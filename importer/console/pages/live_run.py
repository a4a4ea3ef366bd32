"""A run that is under way: progress, requests against the limit, refusals, pauses, its question, the way to stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, counts_list, heading, hint, moment, number
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.runs.drafts.sending import log_act

_EVERY_S = 1.0
_SHOWN_S = 60
_GRID_LINE = "rgba(128, 138, 158, 0.3)"
"""Seen on light and on dark; console.css colours the texts of the chart."""


def live_card(console: Console, session: Session, job: Job) -> None:
    """Draw it, and keep it up to date until the run ends; then the page shows what came of it."""
    _LiveRun(console, session, job).draw()


@dataclass(eq=False)
class _LiveRun:
    """A run that somebody looks at.

    Args:
        asked: the question that is shown; empty: none.
    """

    console: Console
    session: Session
    job: Job
    asked: str = ""

    def draw(self) -> None:
        """Draw the card."""
        with card(t("live.title")):
            self.line = ui.label().props("role=status aria-live=off")
            self.bar = ui.linear_progress(show_value=False)
            self.bar.props(f'aria-label="{t("live.progress")}" color=primary')
            with ui.element("div").classes("row"):
                self.stop = ui.button(t("live.stop"), on_click=self._stop).props("no-caps outline")
                self.stop.set_visibility(self.session.may(self.job.role))
            self.question = ui.element("div")
            heading(t("live.rate"), 3)
            options = _chart(self.job, self.console.profile.delivery.allowance)
            self.chart = ui.echart(options, renderer="svg").classes("chart")
            self.chart.props(f'role=img aria-label="{t("live.rate")}"')
            self._figures()
        ui.timer(_EVERY_S, self._update)

    def _update(self) -> None:
        if self.job.is_done:
            ui.navigate.reload()
            return
        tally = self.job.live.tally
        self.line.set_text(tally.line())
        self.bar.set_value(tally.done / tally.total if tally.total else 0)
        self.chart.options["series"][0]["data"] = _points(self.job)
        self.chart.update()
        self._figures.refresh()
        asked = self.job.live.question.text if self.job.live.question else ""
        if asked != self.asked:
            self.asked = asked
            self.question.clear()
            with self.question:
                self._draw_question()

    async def _stop(self) -> None:
        self.job.stop_by(self.session)
        self.stop.disable()
        await self._log("stopped")

    def _draw_question(self) -> None:
        """The question of the canary, with its answers."""
        if not self.asked:
            return
        with ui.element("div").classes("problem").props("role=alert"):
            ui.label(self.asked)
            if self.session.may(Role.RUN):
                with ui.element("div").classes("row"):
                    ui.button(t("live.yes"), on_click=lambda: self._answer(yes=True)).props("no-caps")
                    ui.button(t("live.no"), on_click=lambda: self._answer(yes=False)).props("no-caps outline")

    async def _answer(self, *, yes: bool) -> None:
        if self.job.answer_by(self.session, yes=yes):
            await self._log("rest sent" if yes else "rest not sent")

    async def _log(self, what: str) -> None:
        """Have the receipt of the run say who did it."""
        if self.job.live.run_id:
            await beside_the_loop(log_act, self.console.drafts, self.job.live.run_id, self.session.user, what)

    @ui.refreshable_method
    def _figures(self) -> None:
        with ui.element("div").classes("columns"):
            counts_list({state.value: self.job.live.tally.states[state] for state in RowState})
            _refusals(self.job)
            _pauses(self.job)


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
