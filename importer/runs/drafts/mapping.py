"""Which column is which field in the file of a draft, with everything that a person needs to judge it, and the choice.

Words and the order of dates are looked for in the whole file, once for each file and choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from pydantic import JsonValue

from importer.core.contract import Contract, FieldSpec, FieldTable
from importer.core.sources import Detected
from importer.journal import CheckChoices, Draft, DraftFacts
from importer.mapping import (
    ColumnMatch,
    Survey,
    alike_once,
    find,
    meaning_of,
    missing_fields,
    named_by,
    phone_regions,
    possible_fields,
)
from importer.profile import Profile
from importer.results import shown
from importer.runs.drafts.dates_amounts import WayView, as_written, ways_of
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.profiles import checked_with, rules_of, survey_of
from importer.runs.drafts.reading import table_of

_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One column of the file.

    Args:
        samples: up to three different cells that are not blank.
        fields: what it fills, by the API's names; empty: nothing.
        score: 0 to 1, of the first of these; of the best guess where it fills nothing.
        why: the reason; empty where a person chose a field that nothing speaks for.
        others: what else it could be, the likeliest first.
    """

    name: str
    samples: Sequence[str]
    fields: Sequence[str]
    score: float
    why: str
    others: Sequence[ColumnMatch]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a column with few of them.

    Args:
        count: how many cells hold it.
        meaning: the value that is sent; empty: nobody knows.
    """

    text: str
    count: int
    meaning: str


@dataclass(frozen=True, slots=True)
class WordsView:
    """The words of a column that fills a field with few values.

    Args:
        values: what can be sent.
        blank: how many cells are blank.
    """

    field: str
    column: str
    values: Sequence[str]
    words: Sequence[Word]
    blank: int


@dataclass(frozen=True, slots=True)
class MappingView:
    """Everything about the mapping of a draft.

    Args:
        columns: in the order of the file.
        rules: what is done now, field to rule, as in a profile: what `choose_mapping` takes.
        missing: required fields that nothing fills.
        assumed: what is assumed where no column says it.
        words: of columns that fill fields with few values.
        ways: of columns of dates and amounts.
        regions: by which country phone numbers without a country code are read.
        checks: what holds now, of what can be chosen for checking.
        fields: every field that a column may fill.
    """

    columns: Sequence[ColumnView]
    rules: Mapping[str, JsonValue]
    missing: Sequence[FieldSpec]
    assumed: Sequence[Detected] = ()
    words: Sequence[WordsView] = ()
    ways: Sequence[WayView] = ()
    regions: Sequence[Detected] = ()
    checks: CheckChoices = field(default_factory=CheckChoices)
    fields: Sequence[FieldSpec] = ()


def mapping(service: DraftService, draft: str, *, show_values: bool = True) -> MappingView:
    """Look at the mapping of a draft: what a person chose, else what is proposed.

    Args:
        show_values: False masks cells, and words.

    Raises:
        UsageError: there is no such draft, or it has no file.
        SourceError: the file cannot be read as was chosen.
        ProfileError: what was chosen does not fit the file.
    """
    found = service.find(draft)
    profile = checked_with(service.profile_of(found), found.facts.validation)
    ways = ways_of(service, found, profile)  # first: it counts the words, too
    contract, source = profile.contract, survey_of(service, found)
    return MappingView(
        columns=list(_columns(contract, source, show_values=show_values)),
        rules={name: as_written(rule) for name, rule in source.rules.items()},
        missing=[contract.fields.sent[name] for name in missing_fields(source.rules, contract.fields)],
        assumed=source.assumed,
        words=list(_words(contract.fields, source, show_values=show_values)),
        ways=[one for one in ways if one.field in source.rules],
        regions=phone_regions(contract, source.rules, profile.validation),
        checks=CheckChoices(**profile.validation.model_dump(include=set(CheckChoices.model_fields))),
        fields=[spec for name in contract.fields.names if (spec := contract.spec(name)) is not None],
    )


def choose_mapping(
    service: DraftService,
    draft: str,
    rules: Mapping[str, JsonValue] | None,
    checks: CheckChoices,
    *,
    by: str,
    seen: int | None = None,
) -> Draft:
    """Choose which column fills which field, and how rows are checked.

    Where required fields are still missing, or dates cannot be read, the draft stays at this step.

    Args:
        rules: field to rule, as in a profile's `[mapping]`; None: as proposed.
        by: the person.
        seen: as of `DraftService.editable`.

    Raises:
        ProfileError: a field, a key, a value or a column is not known; nothing is changed.
        UsageError, BusyError: as of `DraftService.editable`.
        SourceError: the file cannot be read.
    """
    found = service.editable(draft, seen)
    profile, checks = _chosen(service.profile_of(found), checks)
    if rules is not None:
        chosen = rules_of(profile, rules, table_of(service, found))
        proposed = survey_of(service, _with(found, DraftFacts(rules=None))).rules
        rules = None if chosen == proposed else {name: as_written(rule) for name, rule in chosen.items()}
    facts = DraftFacts(rules=rules, validation=checks)
    if (rules, checks) != (found.facts.rules, found.facts.validation):
        facts = facts.merged(DraftFacts(checked_run="", plan=""))
    is_open = _is_open(service, _with(found, facts), profile)
    act = service.act(by, "mapping chosen", fields=len(rules or ()), **checks.model_dump(exclude_none=True))
    return service.note(found, facts.merged(DraftFacts(stage="map" if is_open else "fix")), act)


def _is_open(service: DraftService, draft: Draft, profile: Profile) -> bool:
    """Whether a person has to choose more before the rows can be checked."""
    rules = survey_of(service, draft).rules
    unread = any(one.problem and one.field in rules for one in ways_of(service, draft, profile))
    return unread or bool(missing_fields(rules, profile.contract.fields))


def _chosen(profile: Profile, checks: CheckChoices) -> tuple[Profile, CheckChoices]:
    """The profile with what was chosen for checking, and of that what differs from what the profile says anyway."""
    said = profile.validation.model_dump()
    differing = {key: value for key, value in checks.model_dump().items() if value != said[key]}
    return checked_with(profile, checks), CheckChoices(**differing)


def _with(draft: Draft, facts: DraftFacts) -> Draft:
    return replace(draft, facts=draft.facts.merged(facts))


# --------------------------------------------------------------------------- columns


def _columns(contract: Contract, source: Survey, *, show_values: bool) -> Iterator[ColumnView]:
    info, sample = source.table.info, source.table.sample
    possible = possible_fields(contract, info, sample)
    filled = {name: {find(one, info.columns) for one in named_by(rule)} for name, rule in source.rules.items()}
    for place, column in enumerate(info.columns):
        fills = [name for name, places in filled.items() if place in places]
        cells = dict.fromkeys(cell for cell in (sample.cells[place] if sample else ()) if cell.strip())
        guesses = [one for one in possible if one.column == column]
        score, why = _reason(column, fills, [*source.found.matches, *guesses])
        yield ColumnView(
            column,
            samples=[shown(cell, show_values=show_values) for cell in islice(cells, _SAMPLES)],
            fields=fills,
            score=score,
            why=why,
            others=[one for one in guesses if one.field not in fills],
        )


def _reason(column: str, fills: Sequence[str], matches: Sequence[ColumnMatch]) -> tuple[float, str]:
    """How sure it is that a column fills its first field, or why it fills none."""
    wanted = fills[:1] or [""]
    return next(((one.score, one.why) for one in matches if one.column == column and one.field in wanted), (0.0, ""))


def _words(fields: FieldTable, source: Survey, *, show_values: bool) -> Iterator[WordsView]:
    for name, counts in source.words.items():
        spec, rule = fields.spec(name), source.rules.get(name)
        if spec is None or rule is None:
            continue
        words = [
            Word(shown(text, show_values=show_values), count, meaning_of(text, spec, rule) or "")
            for text, count in alike_once(counts)
            if text
        ]
        yield WordsView(name, rule.column or "", spec.values, words, counts[""])
