"""The profile with the meaning of its keys, and what `doctor` finds. Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import PATIENCE_S, PagedTable, card, hint, page_frame
from importer.console.texts import t
from importer.doctor import Finding, examine
from importer.profile import Profile
from importer.reference.profile_keys import MAPPING, TARGET, KeyEntry, profile_keys
from importer.reference.value_types import toml


def register(console: Console) -> None:
    """Add the page."""

    @ui.page("/settings", response_timeout=PATIENCE_S)
    async def settings(request: Request) -> None:
        session = session_of(request)
        session.require(Role.VIEW)
        with page_frame(session, t("settings.title"), "/settings"):
            _checks_card(console, session)
            _profile_card(console.profile)


def _checks_card(console: Console, session: Session) -> None:
    with card(t("settings.checks")):

        async def check() -> None:
            session.require(Role.PREPARE)
            button.disable()
            try:
                found = await examine(lambda: console.profile, os.environ, clock=console.machine.clock)
            finally:
                button.enable()
            table.update_rows([_finding(one) for one in found])
            table.set_visibility(True)

        button = ui.button(t("settings.check"), on_click=check).props("no-caps")
        columns = [_column(name) for name in ("what", "result", "value", "fix")]
        table = ui.table(columns=columns, rows=[], row_key="what").props("flat wrap-cells")
        table.add_slot("body-cell-result", _RESULT)
        table.set_visibility(False)
        button.set_visibility(session.may(Role.PREPARE))


_RESULT = '<q-td :props="props"><span class="state" :class="props.row.kind">{{ props.value }}</span></q-td>'
_KINDS = {"ok": "good", "warn": "mixed", "fail": "bad"}


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "what": one.check,
        "result": t(f"settings.{one.status}"),
        "kind": _KINDS[one.status],
        "value": one.message,
        "fix": one.fix,
    }


def _profile_card(profile: Profile) -> None:
    with card(t("settings.profile")):
        hint(t("settings.read_only", file=profile.file or t("settings.defaults")))
        search = ui.input(t("settings.search")).props("type=search clearable outlined dense")
        columns = [_column(name) for name in ("key", "value", "meaning")]
        table = PagedTable(20, columns=columns, rows=list(_keys(profile)), row_key="key")
        table.props("flat wrap-cells").classes("settings")
        search.bind_value_to(table, "filter", forward=lambda text: text or "")


def _keys(profile: Profile) -> Iterator[dict[str, Any]]:
    """Every key that has one value, and those that are set of each target."""
    for entry in profile_keys():
        if entry.section == TARGET:
            for name, target in profile.targets.items():
                value = toml(getattr(target, entry.key))
                if value is not None:
                    yield _key(entry.place.replace("NAME", name), value, entry)
        elif not entry.is_free and entry.section != MAPPING:
            value = toml(_value(profile, entry.place))
            yield _key(entry.place, value or "", entry)


def _key(place: str, value: str, entry: KeyEntry) -> dict[str, Any]:
    shown = f"{value} ({t('settings.default')})" if value and value == entry.default else value
    return {"key": place, "value": shown, "meaning": entry.meaning}


def _value(profile: Profile, place: str) -> Any:
    value: Any = profile
    for name in place.split("."):
        value = getattr(value, name)
    return value


def _column(name: str) -> dict[str, Any]:
    return {"name": name, "label": t(f"settings.{name}"), "field": name, "align": "left", "sortable": True}
