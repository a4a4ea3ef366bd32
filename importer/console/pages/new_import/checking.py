"""The fourth step: what would be created, held back and changed, how long it takes, and the plan of that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from nicegui import ui

from importer.approval import load_policy
from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, cells_table, counts_list, hint
from importer.console.pages.new_import.returning import needs_plan_first, return_card
from importer.console.pages.new_import.steps import step_address
from importer.console.pages.new_import.waiting import begin_check, shows_job
from importer.console.signing import own_key_file, own_signer
from importer.console.texts import t
from importer.core.contract import FieldTable
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.profile import EMULATOR
from importer.results import PreviewedField, PreviewedRow
from importer.runs import registry
from importer.runs.drafts.planning import choose_target, plan
from importer.runs.drafts.returning import plan_return, run_of
from importer.runs.history import one_run
from importer.runs.plans.authorship import no_author
from importer.runs.preview import preview

_BODIES = 5
_LOOKED_AT = 25
"""Rows among which those that will be sent are looked for."""


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw it; what was changed since the last check is checked again first."""
    if shows_job(console, session, draft):
        return
    if not draft.is_checked:
        _check_again(console, session, draft)
        return
    report = await beside_the_loop(one_run, console.workspace, draft.facts.checked_run)
    _result_card(report, draft)
    run = await beside_the_loop(run_of, console.drafts, draft)
    if run is None:
        _target_card(console, session, draft)
    shown = await beside_the_loop(_bodies, console, session, draft)
    _bodies_card(console.profile.contract.fields, shown)
    if draft.facts.run_id:
        return
    if run is not None and not await needs_plan_first(console, run.run_id):
        await return_card(console, session, draft, run.run_id)
    elif session.may(Role.PREPARE):
        _plan_card(console, session, draft, plan if run is None else plan_return)


def _check_again(console: Console, session: Session, draft: Draft) -> None:
    with card():
        hint(t("check.changed"))
        if session.may(Role.PREPARE):
            ui.button(t("check.again"), on_click=lambda: _begin_check(console, session, draft)).props("no-caps")


def _begin_check(console: Console, session: Session, draft: Draft) -> None:
    begin_check(console, session, draft)
    ui.navigate.reload()


def _result_card(report: Mapping[str, Any], draft: Draft) -> None:
    with card(t("check.result")):
        ui.label(report.get("verdict") or "")
        counts_list({name: report["counts"].get(name, 0) for name in ("read", "valid", "invalid")})
        if report["counts"].get("invalid"):
            ui.link(t("check.fix"), step_address(draft, "fix"))
        if text := (report.get("forecast") or {}).get("text"):
            hint(str(text))


def _target_card(console: Console, session: Session, draft: Draft) -> None:
    """Where it is sent: only to targets that the profile names."""
    chosen = draft.facts.target or console.profile.target
    with card(t("check.target")):

        async def choose(target: str) -> None:
            session.require(Role.PREPARE)
            work = partial(choose_target, by=session.user, seen=draft.version)
            await beside_the_loop(work, console.drafts, draft.id, target)
            ui.navigate.reload()

        hosts = {name: settings.base_url for name, settings in console.profile.targets.items()}
        targets = {name: _target_name(name, hosts.get(name) or "") for name in console.targets}
        field = ui.select(targets, label=t("check.target"), value=chosen).props("outlined dense").classes("field")
        field.on_value_change(lambda event: choose(event.value))
        field.set_enabled(session.may(Role.PREPARE) and not draft.facts.run_id)


def _target_name(name: str, address: str) -> str:
    if name == EMULATOR:
        return t("check.rehearsal", target=name)
    return f"{name} ({urlsplit(address).hostname})" if address else name


def _bodies(console: Console, session: Session, draft: Draft) -> Sequence[PreviewedRow]:
    with registry.opened_run(console.workspace, draft.facts.checked_run) as opened:
        shown = preview(opened.journal, opened.stored, _LOOKED_AT, show_values=session.sees_values)
    return ([row for row in shown if not row.errors] or list(shown))[:_BODIES]


def _bodies_card(fields: FieldTable, shown: Sequence[PreviewedRow]) -> None:
    if not shown:
        return
    with card(t("check.bodies")):
        hint(t("check.bodies_hint"))
        states = [t("search.story", row=row.row, state=t(f"states.{row.state}")) for row in shown]
        cells_table(t("check.bodies"), (t("check.field"), *states), _as_table(fields, shown))


def _as_table(fields: FieldTable, shown: Sequence[PreviewedRow]) -> Iterator[list[str]]:
    """A line for each field, with what is sent of each row."""
    if any(row.errors for row in shown):
        yield [t("check.problem"), *(" ".join(row.errors) for row in shown)]
    cells = [{one.field: _sent(one) for one in row.fields} for row in shown]
    for name in dict.fromkeys(name for row in cells for name in row):
        yield [fields.label(name), *(row.get(name, "") for row in cells)]


def _sent(one: PreviewedField) -> str:
    return f"{one.before} → {one.after}" if one.after and one.before not in {"", one.after} else one.before or one.after


def _plan_card(
    console: Console, session: Session, draft: Draft, plan: Callable[..., Coroutine[Any, Any, Draft]]
) -> None:
    """The way to the plan.

    Args:
        plan: makes it.
    """
    with card(t("check.plan")):
        hint(t("check.plan_hint"))
        key = own_key_file(session) if load_policy() is not None else None
        password = None
        if key is not None and key.is_locked:
            password = ui.input(t("approve.password"), password=True).props("outlined dense autocomplete=off")

        def make() -> None:
            session.require(Role.PREPARE)
            signer = own_signer(session, password.value if password else "") if key else None
            author = no_author if signer is None else lambda: signer

            async def work(job: Job) -> object:
                return await plan(
                    console.drafts, draft.id, by=session.user, emit=job.live, stop=job.stop, author=author
                )

            console.jobs.begin(draft.id, session, Role.PREPARE, work)
            ui.navigate.to(step_address(draft, "approve"))

        ui.button(t("check.make"), on_click=make).props("no-caps")
