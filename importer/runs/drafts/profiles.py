"""The profile of a draft: what `importer init` writes for its file, with what was chosen, and what the console's says.

Written as a file, which is what the draft is checked and sent with: the command line does the same with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from importer.core.atomic_files import AtomicFiles
from importer.journal import CheckChoices, Draft
from importer.mapping import Given, Survey, Table, Words, column_words, fits, plans, proposal, survey, write_profile
from importer.profile import Profile
from importer.profile.mapping_rules import FieldRule
from importer.readers import write_corrections
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.reading import opened, read_key, table_of

PROFILE, CORRECTIONS = "profile.toml", "corrections.csv"
"""Names of files in the folder of a draft."""
_ALSO_WRITTEN = ("delivery", "targets", "after_create", "idv", "documents", "results", "approval")
"""Tables of the console's profile that decide what is sent, and how: a command that repeats a run needs them, too."""


def profile_text(service: DraftService, draft: str) -> str:
    """Write the profile of a draft, as commented TOML.

    Raises:
        UsageError: there is no such draft, or it has no file.
        SourceError: the file cannot be read as was chosen.
        ProfileError: what was chosen does not fit the file.
    """
    found = service.find(draft)
    return _text(service, found)


def write_files(service: DraftService, draft: Draft) -> Profile:
    """Write the profile and the corrections of a draft into its folder.

    Returns:
        The profile that the draft is checked and sent with: that file, under the options and the environment of the
        console, with the corrections, for the target that was chosen.

    Raises:
        SourceError, ProfileError: as of `profile_text`.
        StorageError: they cannot be written.
    """
    folder = service.folder(draft)
    with AtomicFiles(folder) as files:
        files.text(PROFILE).write(_text(service, draft))
    with service.opened() as drafts:
        corrections = drafts.corrections(draft.id)
    write_corrections(corrections, folder / CORRECTIONS)
    options = {
        "target": draft.facts.target or None,
        "source.corrections": folder / CORRECTIONS if corrections else None,
    }
    return service.profile.with_file(folder / PROFILE).with_options(options)


def rules_of(profile: Profile, rules: Mapping[str, JsonValue], table: Table) -> Mapping[str, FieldRule]:
    """Rules as a person chose them.

    Args:
        rules: field to rule, as in a profile's `[mapping]`.

    Raises:
        ProfileError: a field or a key is not known, or the table has no such column.
    """
    named = profile.with_options({f"mapping.{name}": rule for name, rule in rules.items()}).mapping
    chosen = {name: rule for name, rule in named.items() if name in rules}
    list(plans(profile.contract, chosen, table.info.columns))
    return chosen


def _rules(service: DraftService, draft: Draft, table: Table) -> Mapping[str, FieldRule] | None:
    """Those that a person chose, else those of the console's profile where they fit; None: as proposed."""
    profile = service.profile_of(draft)
    if draft.facts.rules is not None:
        return rules_of(profile, draft.facts.rules, table)
    return profile.mapping if fits(profile.mapping, table.info) else None


def all_rules(service: DraftService, draft: Draft, table: Table) -> Mapping[str, FieldRule]:
    """The rules of a draft, or all that are proposed, for whatever kind of record the rows turn out to be."""
    chosen = _rules(service, draft, table)
    contract = service.profile_of(draft).contract
    return proposal(contract, table.info, table.sample).rules if chosen is None else chosen


def words_key(draft: Draft) -> tuple[str, ...]:
    """Under which the words of the columns of a draft's file are remembered."""
    return "words", *read_key(draft)


def checked_with(profile: Profile, choices: CheckChoices) -> Profile:
    """The same profile with what was chosen for checking."""
    chosen = {f"validation.{key}": value for key, value in choices.model_dump(exclude_none=True).items()}
    return profile.with_options(chosen) if chosen else profile


def survey_of(service: DraftService, draft: Draft) -> Survey:
    """Survey the file of a draft under its rules; the words of its columns are counted once."""
    table = table_of(service, draft)

    def count() -> Words:
        with opened(service, draft) as reader:
            return column_words(table, reader.batches())

    words = service.remembered(words_key(draft), count)
    return survey(service.profile_of(draft).contract, table, words, _rules(service, draft, table))


def _text(service: DraftService, draft: Draft) -> str:
    contract = service.profile_of(draft).contract
    return write_profile(contract, survey_of(service, draft), _given(service.profile, draft))


def _given(profile: Profile, draft: Draft) -> Given:
    written = profile.written()
    choices = draft.facts.validation.model_dump(exclude_none=True)
    tables: dict[str, Mapping[str, Any]] = {"validation": {**written.get("validation", {}), **choices}}
    tables |= {name: written[name] for name in _ALSO_WRITTEN if name in written}
    return Given(
        target=written.get("target", ""),
        source=written.get("source", {}),
        grouping=profile.grouping.model_dump(exclude_defaults=True),
        tables=tables,
    )
