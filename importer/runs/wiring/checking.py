"""The parts of reading and checking, put together from the profile. Reads nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from importer.engines import Pool, SharedChecker
from importer.journal import Comparison, Merging, RunHeader, RunIntake
from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.documents import with_documents
from importer.runs.pipeline import Preparation
from importer.runs.plans.checked_hashes import CheckedHashes
from importer.runs.wiring.clock import today
from importer.runs.wiring.engine import dask_pool
from importer.runs.wiring.sources import Opened
from importer.validation import DuplicateJudge, Validator, Wanted, policy_of

_LARGE_BYTES = 16 * 1024 * 1024
"""A source of this size keeps every core busy for longer than it takes to start."""


@contextmanager
def checking_pool(context: Context, path: Path, secret: bytes | None) -> Iterator[Pool]:
    """Make what checks the rows of a source: the workers of Dask, or processes beside this one.

    Those start at once for a large source; errors as of `dask_pool`.

    Args:
        path: of the source.
        secret: as of `dask_pool`.
    """
    if context.profile.engine.kind == "dask":
        with dask_pool(context.profile, context.stop, secret) as workers:
            yield workers
        return
    with context.pool() as pool:
        if path.is_file() and path.stat().st_size >= _LARGE_BYTES:
            pool.start()
        yield pool


def preparation(
    context: Context,
    source: Opened,
    intake: RunIntake,
    pool: Pool,
    *,
    secret: bytes,
    hashes: CheckedHashes | None = None,
) -> Preparation:
    """Put reading and checking together.

    Args:
        hashes: gets the hashes of all bodies; None: nobody wants them.

    Raises:
        ProfileError: the files of documents cannot be where the profile says.
    """
    profile = context.profile
    stamp = profile.delivery.import_key_metadata
    contract = profile.contract
    validator = Validator(
        contract,
        policy_of(profile.validation, today()),
        secret=secret,
        stamp=stamp,
        grouping=source.grouping,
        wanted=Wanted(bodies=intake.keeps_bodies, digests=hashes is not None, prints=intake.keyed),
    )
    binds = hashes is not None
    checked = with_documents(profile, validator, source.mapper.columns, source.origin, binds=binds)
    return Preparation(
        reader=source.reader,
        mapper=source.mapper,
        checker=SharedChecker(source.mapper, checked, pool, context.emit),
        duplicates=DuplicateJudge(
            contract, _duplicates(profile), columns=source.mapper.columns, numbers=intake.numbers
        ),
        intake=intake,
        stop=context.stop,
        emit=context.emit,
        watch=None if hashes is None else hashes.observe,
    )


def _duplicates(profile: Profile) -> Literal["reject", "first", "allow"]:
    """What becomes of rows with one key; two changes of one customer at once would lose one of them."""
    chosen = profile.validation.duplicates
    return "reject" if profile.validation.partial and chosen == "allow" else chosen


def merging_of(profile: Profile, source: Opened) -> Merging | None:
    """How rows of one business become one customer; None: rows are not grouped."""
    if source.grouping is None:
        return None
    return Merging(profile.delivery.import_key_metadata, source.grouping.fields, source.mapper.columns)


def comparison(
    profile: Profile, header: RunHeader, columns: Mapping[str, str], sheet: str, scope: str = ""
) -> Comparison:
    """How the rows of a source are compared with customers of earlier runs.

    Args:
        columns: customer field to source column.
        sheet: the sheet that was read.
        scope: of a plan, where it sends to; empty: there is no plan.
    """
    chosen = profile.validation
    return Comparison(
        contract=profile.contract,
        possible_duplicate=chosen.possible_duplicate,
        external_id_decides=chosen.external_id_decides,
        target=header.target,
        columns=columns,
        content=header.content_hash,
        sheet=sheet,
        default_region=chosen.default_region,
        allows_duplicates=chosen.duplicates == "allow",
        scope=scope,
    )
