"""The second step: which column is which field, what words mean, and how dates, amounts and phone numbers are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from nicegui import ui
from pydantic import JsonValue
from starlette.responses import Response

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import card, hint, number
from importer.console.pages.new_import.looking import looked_at
from importer.console.pages.new_import.steps import step_address
from importer.console.texts import t
from importer.core.errors import ImporterError
from importer.core.runtime import beside_the_loop
from importer.journal import CheckChoices, Draft
from importer.runs.drafts.dates_amounts import WayView
from importer.runs.drafts.mapping import ColumnView, MappingView, WordsView, choose_mapping, mapping
from importer.runs.drafts.profiles import profile_text

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "date_order": ("auto", "mdy", "dmy", "ymd"),
    "decimal": ("auto", "point", "comma"),
    "phone": ("e164", "possible", "valid"),
    "duplicates": ("reject", "first", "allow"),
}


def register(console: Console, application: FastAPI) -> None:
    """Add the profile as a file."""

    @application.get("/drafts/{draft_id}/profile.toml")
    async def profile(request: Request, draft_id: str) -> Response:
        session_of(request).require_values()
        text = await beside_the_loop(profile_text, console.drafts, draft_id)
        return Response(
            text, media_type="application/toml", headers={"content-disposition": 'attachment; filename="profile.toml"'}
        )


@dataclass
class _Chosen:
    """What a person has chosen on this page, and not saved yet."""

    rules: dict[str, JsonValue]
    checks: dict[str, str | None]

    def give(self, column: ColumnView, field: str | None) -> None:
        """Have a column fill a field instead of those that it filled; None: nothing."""
        for name in column.fields:
            self.rules.pop(name, None)
        if field:
            self.rules[field] = column.name

    def translate(self, words: WordsView, word: str, value: str) -> None:
        """Have a word mean a value; empty: nobody knows."""
        rule = self.rules.get(words.field)
        table: dict[str, JsonValue] = dict(rule) if isinstance(rule, dict) else {"column": words.column}
        known = table.get("map")
        meanings: dict[str, JsonValue] = dict(known) if isinstance(known, dict) else {}
        meanings.pop(word, None)
        self.rules[words.field] = {**table, "map": {**meanings, **({word: value} if value else {})}}


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw it."""
    look = partial(mapping, show_values=session.sees_values)
    try:
        seen = await looked_at(console.drafts.source(draft), partial(look, console.drafts, draft.id))
    except ImporterError as error:
        ui.label(str(error)).classes("problem").props("role=alert")
        ui.link(t("map.back"), step_address(draft, "upload"))
        return
    may_change = session.may(Role.PREPARE) and not draft.facts.run_id
    chosen = _Chosen(dict(seen.rules), seen.checks.model_dump())
    names = _names(seen)
    _open_card(seen)
    _columns_card(seen, names, chosen, may_change=may_change)
    _words_card(seen, names, chosen, may_change=may_change)
    _assumed_card(seen, names)
    _reading_card(seen, chosen, may_change=may_change)
    if may_change:
        _buttons(console, session, draft, seen, chosen)


def _names(seen: MappingView) -> dict[str, str]:
    """What people call each field; where two have the same name, that of the API too."""
    often = Counter(spec.label for spec in seen.fields)
    return {one.name: f"{one.label} ({one.name})" if often[one.label] > 1 else one.label for one in seen.fields}


def _open_card(seen: MappingView) -> None:
    """What a person has to choose before the rows can be checked, and what they had better look at."""
    unread = [way for way in seen.ways if way.problem]
    if not seen.missing and not unread and not any(map(_unknown, seen.words)):
        return
    with card(t("map.open") if seen.missing or unread else t("map.look")):
        for spec in seen.missing:
            ui.label(t("map.required", field=spec.label)).classes("problem")
        for way in unread:
            ui.label(f"{way.problem} {t('map.choose_order')}").classes("problem").props("role=alert")
        for words in seen.words:
            if unknown := _unknown(words):
                ui.label(t("map.unknown_words", column=words.column, words=", ".join(unknown))).classes(
                    "problem warning"
                )


def _unknown(words: WordsView) -> list[str]:
    return [word.text for word in words.words if not word.meaning]


def _assumed_card(seen: MappingView, names: Mapping[str, str]) -> None:
    if not seen.assumed:
        return
    with card(t("map.assumed")):
        for note in seen.assumed:
            field, is_value, value = note.value.partition(" = ")
            known = t("map.assumed_value", field=names.get(field, field), value=value, why=note.note)
            hint(known if is_value else note.note)


def _columns_card(seen: MappingView, names: Mapping[str, str], chosen: _Chosen, *, may_change: bool) -> None:
    with card(t("map.columns")):
        hint(t("map.columns_hint"))
        with ui.element("ul").classes("mapping"):
            for column in seen.columns:
                with ui.element("li"):
                    _column(column, names, chosen, may_change=may_change)


def _column(column: ColumnView, names: Mapping[str, str], chosen: _Chosen, *, may_change: bool) -> None:
    with ui.element("div"):
        ui.label(column.name).classes("name")
        hint(" · ".join(column.samples) or t("map.blank"))
    first = column.fields[0] if column.fields else ""
    likely = [one.field for one in column.others]
    order = [*filter(None, (first, *likely)), *sorted(names.keys() - {first, *likely}, key=names.__getitem__)]
    options = {"": t("map.unused"), **{name: names.get(name, name) for name in order}}
    field = ui.select(options, label=t("map.field", column=column.name), value=first, with_input=True)
    field.props("outlined dense options-dense").on_value_change(lambda event: chosen.give(column, event.value))
    field.set_enabled(may_change)
    with ui.element("div"):
        if column.fields and not column.score:
            hint(t("map.own"))
        elif column.fields:
            ui.label(t("map.sure", percent=f"{column.score:.0%}")).classes("state " + _kind(column.score))
        hint(column.why)
        for other in column.fields[1:]:
            hint(t("map.also", field=names.get(other, other)))


def _kind(score: float) -> str:
    return "good" if score >= 0.9 else "mixed" if score >= 0.6 else "bad"


def _words_card(seen: MappingView, names: Mapping[str, str], chosen: _Chosen, *, may_change: bool) -> None:
    if not seen.words:
        return
    with card(t("map.words")):
        hint(t("map.words_hint"))
        with ui.element("div").classes("columns"):
            for one in seen.words:
                _words(one, names.get(one.field, one.field), chosen, may_change=may_change)


def _words(one: WordsView, name: str, chosen: _Chosen, *, may_change: bool) -> None:
    options = {"": t("map.unknown"), **{value: value for value in one.values}}
    with ui.element("div").classes("words"):
        ui.label(t("map.words_of", column=one.column, field=name)).classes("name")
        for word in one.words:
            with ui.element("div").classes("row"):
                number(word.count)
                meaning = ui.select(options, label=word.text, value=word.meaning if word.meaning in options else "")
                meaning.props("outlined dense options-dense").classes("" if word.meaning else "unknown")
                meaning.on_value_change(_translating(chosen, one, word.text))
                meaning.set_enabled(may_change)


def _translating(chosen: _Chosen, words: WordsView, word: str) -> Callable[[Any], None]:
    return lambda event: chosen.translate(words, word, event.value)


def _reading_card(seen: MappingView, chosen: _Chosen, *, may_change: bool) -> None:
    with card(t("map.reading")):
        for way in seen.ways:
            _way(way)
        for region in seen.regions:
            hint(t("map.phone_region", value=region.value))
        with ui.element("div").classes("row"):
            for name, values in _CHOICES.items():
                options = {value: t(f"map.{name}_{value}") for value in values}
                choice = ui.select(options, label=t(f"map.{name}"), value=chosen.checks[name] or values[0])
                choice.props("outlined dense options-dense").classes("field").bind_value_to(chosen.checks, name)
                choice.set_enabled(may_change)
            region_field = ui.input(t("map.default_region"), value=chosen.checks["default_region"] or "")
            region_field.props("outlined dense maxlength=2").classes("field")
            region_field.bind_value_to(
                chosen.checks, "default_region", forward=lambda text: (text or "").upper() or None
            )
            region_field.set_enabled(may_change)


def _way(way: WayView) -> None:
    if way.found:
        hint(f"{way.column}: {'; '.join(filter(None, (way.found, way.evidence)))}.")


def _buttons(console: Console, session: Session, draft: Draft, seen: MappingView, chosen: _Chosen) -> None:
    known = {(one.field, one.column) for one in seen.words}

    async def save() -> None:
        session.require(Role.PREPARE)
        work = partial(choose_mapping, by=session.user, seen=draft.version)
        checks = CheckChoices.model_validate(chosen.checks)
        changed = await beside_the_loop(work, console.drafts, draft.id, chosen.rules, checks)
        now = await beside_the_loop(mapping, console.drafts, draft.id)
        has_new_words = any(_unknown(one) and (one.field, one.column) not in known for one in now.words)
        ui.navigate.to(step_address(changed, "map" if has_new_words else changed.facts.stage))

    with ui.element("div").classes("row"):
        ui.button(t("map.next"), on_click=save).props("no-caps")
        ui.link(t("map.download"), f"/drafts/{draft.id}/profile.toml")
