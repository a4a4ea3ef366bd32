"""The fifth step: the plan is looked at and signed, by a second person where the policy asks for one, and then sent."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from nicegui import ui

from importer.console.access import RefusedError, Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, hint, localized_text, moment, number
from importer.console.pages.new_import.steps import step_address
from importer.console.pages.new_import.waiting import shows_job
from importer.console.signing import own_signer
from importer.console.texts import t
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.profile import HARMLESS_TARGETS
from importer.results import Report
from importer.runs.context import People
from importer.runs.drafts.planning import approve, has_plan, judged
from importer.runs.drafts.returning import give_back
from importer.runs.drafts.sending import run
from importer.runs.plans.approve import Judged


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw it."""
    if shows_job(console, session, draft):
        return
    if not has_plan(draft):
        with card():
            hint(t("approve.none"))
            ui.link(t("approve.back"), step_address(draft, "check"))
        return
    found = await beside_the_loop(judged, console.drafts, draft.id)
    _plan_card(found)
    if found.is_needed and not found.approved and session.may(Role.APPROVE):
        _sign_card(console, session, draft, found)
    if session.may(Role.RUN) and not draft.facts.run_id:
        _run_card(console, session, draft, found)


def _plan_card(found: Judged) -> None:
    with card(t("approve.plan")):
        with ui.element("dl").classes("pairs"):
            for name, fact in _facts(found):
                with ui.element("dt"):
                    ui.label(t(f"approve.{name}"))
                with ui.element("dd"):
                    _draw_fact(fact)
        for one, words in found.signatures:
            ui.label(t("approve.signed", name=one.name, role=one.role, verdict=words))
        if found.is_needed:
            for sentence in found.missing:
                ui.label(sentence).classes("problem warning")
            if found.who:
                hint(t("approve.who", who=", ".join(map(str, found.who))))
            if found.approved:
                ui.label(t("approve.approved")).classes("state good")
        else:
            hint(t("approve.not_needed"))


def _draw_fact(fact: str | int | float) -> None:
    """A text, a number, or a moment in seconds since the epoch: as its reader writes it."""
    if isinstance(fact, str):
        ui.label(fact)
    elif isinstance(fact, int):
        number(fact)
    else:
        moment(fact)


def _facts(found: Judged) -> Iterator[tuple[str, str | int | float]]:
    said = found.as_json()
    yield "target", f"{said['target']} ({said['host']})" if said["host"] else said["target"]
    yield "rows", int(said["rows"])
    yield "held_back", int(said["counts"].get("invalid", 0))
    yield "known", int(said["known"])
    if text := said["forecast"].get("text"):
        yield "forecast", str(text)
    yield "made_by", said["author"]
    yield "good_until", float(found.good_until)
    yield "sha256", said["sha256"][:16]


def _sign_card(console: Console, session: Session, draft: Draft, found: Judged) -> None:
    with card(t("approve.title")):
        hint(t("approve.hint"))
        password = ui.input(t("approve.password"), password=True).props("outlined dense autocomplete=off")

        async def sign() -> None:
            session.require(Role.APPROVE)
            signer = own_signer(session, password.value or "")
            work = partial(approve, by=session.user)
            await beside_the_loop(work, console.drafts, draft.id, signer, found.plan.sha256)
            ui.navigate.reload()

        ui.button(t("approve.sign"), on_click=sign).props("no-caps")


def _run_card(console: Console, session: Session, draft: Draft, found: Judged) -> None:
    is_live, host = found.plan.target not in HARMLESS_TARGETS, found.plan.host
    with card(t("approve.run")):
        if found.refusal:
            waits = found.is_needed and not found.expired and found.verdict is not None
            ui.label(t("approve.waits") if waits else found.refusal).classes("problem")
            return
        hint(t("approve.what_run_does"))
        require_typed = live_question(host if is_live else "", "approve.live", count=found.plan.rows)

        def send() -> None:
            require_typed()
            send_it = partial(give_back if found.plan.job == "return" else run, shown=found.plan.sha256)
            _begin(console, session, draft, send_it)

        with ui.button(on_click=send).props("no-caps"):
            localized_text("approve.send", count=found.plan.rows)


def live_question(host: str, question: str, **values: object) -> Callable[[], None]:
    """Have the host of a live target typed; returns what refuses to go on where it was not.

    Args:
        host: empty: nothing live is done.
        question: key of the text above the field; `values` are put into it.
    """
    if not host:
        return lambda: None
    localized_text(question, host=host, tag="div", **values).classes("problem")
    typed = ui.input(t("approve.type_host", host=host)).props("outlined dense autocomplete=off").classes("field")

    def require() -> None:
        if (typed.value or "").strip() != host:
            raise RefusedError(t("approve.not_typed", host=host))

    return require


def _begin(console: Console, session: Session, draft: Draft, run: Callable[..., Coroutine[Any, Any, Report]]) -> None:
    """Send exactly what the plan says; the page then shows how far that is.

    Args:
        run: does it.
    """

    async def work(job: Job) -> object:
        people = People(confirm=lambda _host, _rows: True, ask=job.live.ask)  # the host was typed on the page
        return await run(console.drafts, draft.id, by=session.user, emit=job.live, stop=job.stop, people=people)

    console.jobs.begin(draft.id, session, Role.RUN, work)
    ui.navigate.to(step_address(draft, "run"))
