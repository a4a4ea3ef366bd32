"""What an import would send, once its source was read: gathered for the plan that is made, or compared with one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from importer.core.states import RowState
from importer.journal import Journal, Location, RunIntake, StoredRun
from importer.runs.context import Context
from importer.runs.documents import Binding
from importer.runs.plans.bodies import BodyHashes, Stamp, hashes_in
from importer.runs.plans.checked_hashes import CheckedHashes
from importer.runs.plans.import_plan import ImportContent, KnownRows, PlannedDocuments, PlannedSource
from importer.runs.plans.rules import rules_of
from importer.runs.wiring.sources import Opened


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source that was read and checked into a journal, before anything else happens to its rows.

    Args:
        memory: of a dry run the journal that knows the customers of earlier runs; None: it is the run's own.
    """

    context: Context
    journal: Journal
    stored: StoredRun
    source: Opened
    intake: RunIntake
    memory: Location | None


@dataclass(frozen=True, slots=True)
class Planning:
    """What is done with what would be sent.

    Args:
        scope: target and account that it would be sent to.
        use: gets it; may refuse it.
    """

    scope: str
    use: Callable[[ImportContent], None]

    def __call__(self, loaded: Loaded, hashes: CheckedHashes) -> None:
        """Gather what would be sent, and use it; errors as of `use`."""
        self.use(_content_of(loaded, hashes, self.scope))


def _content_of(loaded: Loaded, hashes: CheckedHashes, scope: str) -> ImportContent:
    header, profile, source = loaded.stored.header, loaded.context.profile, loaded.source
    invalid = loaded.intake.invalid()
    read = loaded.journal.runs.counts(loaded.stored.run)["read"]
    known = _known(loaded.intake.known(scope, loaded.memory))
    binding = Binding.of(profile, source.mapper.columns, source.origin)
    return ImportContent(
        source=PlannedSource(
            name=header.source,
            path=header.path,
            sha256=header.content_hash,
            rows=read,
            sheet=source.reader.info.sheet,
            corrections=source.corrections,
        ),
        kept=source.mapper.kept(profile.settings_to_keep()).model_dump(mode="json"),
        rules=rules_of(profile.contract),
        counts={"read": read, "valid": read - len(invalid), "invalid": len(invalid), "known": known.count},
        bodies=_bodies(loaded, hashes, invalid, binding),
        known=known,
        documents=_documents(loaded, binding),
    )


def _bodies(loaded: Loaded, hashes: CheckedHashes, invalid: Iterable[int], binding: Binding | None) -> BodyHashes:
    if loaded.source.grouping is None and binding is None:
        return hashes.judged(list(invalid))
    profile = loaded.context.profile  # groups were put together, and documents bound, on the way into the journal
    stamp = Stamp(profile.contract.bodies, profile.delivery.import_key_metadata)
    return hashes_in(loaded.journal, loaded.stored.run, stamp)


def _known(ordinals: Iterator[int]) -> KnownRows:
    found, count = hashlib.sha256(), 0
    for ordinal in ordinals:
        found.update(b"%d\n" % ordinal)
        count += 1
    return KnownRows(count=count, sha256=found.hexdigest())


def _documents(loaded: Loaded, binding: Binding | None) -> PlannedDocuments:
    if binding is None:
        return PlannedDocuments()
    bodies = loaded.journal.steps(loaded.stored.run).bodies(set(RowState) - {RowState.INVALID})
    return PlannedDocuments.of(binding.contents(one.after for one in chain.from_iterable(bodies)))
