"""A dry run: a source is checked as a run would check it. No network, and nothing in the workspace's journal."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from importer.journal import SECRET_BYTES, Location, RunFacts, known_secret
from importer.results import Report, check_out
from importer.runs import registry
from importer.runs.context import Context
from importer.runs.finish import finish
from importer.runs.leftovers import tidy
from importer.runs.load import at_hand, opened_source, prepare
from importer.runs.plans.content import Planning
from importer.runs.preconditions import require_whole_rows
from importer.runs.receipts import operator
from importer.runs.run_directory import checked_journal, forgotten_if_refused, new_header, run_directory
from importer.runs.wiring.checking import checking_pool

if TYPE_CHECKING:
    from importer.runs.wiring.sources import Source


def check(context: Context, source: Source, *, planning: Planning | None = None) -> Report:
    """Check a source, and leave a run directory with what was found. Blocks.

    Args:
        planning: what is done with what would be sent; None: nothing.

    Raises:
        ImporterError: the source or the profile cannot be used.
    """
    require_whole_rows(context.profile)
    started_at = context.now()
    tidy(context.workspace)
    known = known_secret(Location.of_workspace(context.workspace))
    with (
        at_hand(context, source) as local,
        checking_pool(context, local.path, known) as pool,
        opened_source(context, local) as found,
    ):
        check_out(context.profile.results, local.path)
        content = local.content_hash()
        header = new_header(context, local, found, content=content, scope="", started_at=started_at)
        place = registry.next_place(context.workspace)
        with run_directory(context, header.run_id) as (logged, directory), checked_journal(directory) as journal:
            stored = journal.runs.begin(header)
            journal.runs.note(stored.run, RunFacts(place=place, begun_by=context.people.by or operator()))
            with forgotten_if_refused(journal.runs, stored, directory):
                secret = known or secrets.token_bytes(SECRET_BYTES)  # a dry run makes none for the workspace
                prepare(logged, journal, stored, found, secret=secret, pool=pool, planning=planning)
                journal.keep()
            return finish(logged, journal, stored, directory, started_at)
