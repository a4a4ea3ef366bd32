"""Issues grouped so that a person fixes a kind of error once instead of row by row, and how to fix each group.

Streams: memory grows with the number of different clusters, never with the number of rows. What a code means is
declared in `core.issue_codes` and by the contract; codes of the API have no entry.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from importer.core.columns import WARNINGS_COLUMN
from importer.core.contract import Contract
from importer.core.issue_codes import in_place
from importer.core.issue_codes.steps import STEP_CODES
from importer.core.issues import IssueCode, IssueKind, Severity
from importer.core.results import Cluster, ResultBatch

EXAMPLE_ROWS = 20

_REFUSED = "Correct column {column} in rejects.csv as the message says, and return it with the command of the report."
_REFUSED_ROW = "Correct these rows in rejects.csv as the message says, and return it with the command of the report."

_ASK = "Ask whoever runs the importer: the profile has to be changed."

_Key = tuple[str, str, str, Severity]


@dataclass(slots=True)
class _Growing:
    message: str
    varies: bool = False
    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, count: int, message: str) -> None:
        self.count += count
        self.varies = self.varies or message != self.message

    @property
    def has_room(self) -> bool:
        return len(self.rows) < EXAMPLE_ROWS

    def show(self, row: int) -> None:
        if self.has_room and (not self.rows or self.rows[-1] != row):
            self.rows.append(row)


class ClusterCounter:
    """Collects clusters from batches of rows as they pass; usable as a watcher of `write_results`.

    Args:
        contract: what the records are.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._clusters: dict[_Key, _Growing] = {}

    def __call__(self, batch: ResultBatch) -> None:
        """Take a batch, in source order."""
        log = batch.issues
        growing: dict[int, _Growing] = {}
        for number, count in Counter(log.which).items():
            kind = log.kinds[number]
            one = growing[number] = self._of(kind)
            one.add(count, kind.message)
        with_room = {number for number, one in growing.items() if one.has_room}
        if with_room:
            for ordinal, number in zip(log.ordinals, log.which, strict=True):
                if number in with_room:
                    growing[number].show(batch.rows[ordinal - batch.first])

    def clusters(self) -> list[Cluster]:
        """Return all clusters: errors before warnings, the most frequent first."""
        found = [
            Cluster(code, name, column, severity, self._sentence(code, name, grown), grown.count, tuple(grown.rows))
            for (code, name, column, severity), grown in self._clusters.items()
        ]
        return sorted(found, key=_rank)

    def _sentence(self, code: str, name: str, grown: _Growing) -> str:
        """The sentence for all rows: where each has its own (naming another row, or a country), the documented one."""
        if grown.varies and code in STEP_CODES:
            return f"{STEP_CODES[code].title}; {WARNINGS_COLUMN} in the results says more of each row."
        entry = self._contract.codes.get(code)
        if not grown.varies or entry is None:
            return grown.message
        if "{country}" in entry.message:
            return entry.sentence(self._contract.spec(name))
        return grown.message if "{" in entry.message else entry.message

    def _of(self, kind: IssueKind) -> _Growing:
        key = (kind.code, kind.field, kind.column, kind.severity)
        if key not in self._clusters:
            self._clusters[key] = _Growing(kind.message)
        return self._clusters[key]


def _rank(cluster: Cluster) -> tuple[bool, int, str, str, str]:
    return (
        cluster.severity is Severity.WARNING,
        -cluster.count,
        cluster.code,
        cluster.field,
        cluster.column,
    )


def clusters(contract: Contract, batches: Iterable[ResultBatch]) -> list[Cluster]:
    """Group all issues of a run by code, field and column (see `ClusterCounter.clusters` for the order)."""
    counter = ClusterCounter(contract)
    for batch in batches:
        counter(batch)
    return counter.clusters()


@dataclass(frozen=True, slots=True)
class Advice:
    """Title and fix of a cluster.

    Args:
        title: a few words.
        fix: what to do about all of its rows; empty for a warning without documentation.
        in_file: the part of it that is done in the file; empty where only the profile can be changed.
        in_profile: what whoever keeps the profile may do instead; empty: nothing.
    """

    title: str
    fix: str
    in_file: str = ""
    in_profile: str = ""

    @property
    def by_hand(self) -> str:
        """What whoever has the file does; where only the profile can be changed, whom to ask; empty: nothing."""
        return self.in_file or (_ASK if self.in_profile else "")


def advise(cluster: Cluster, codes: Mapping[str, IssueCode]) -> Advice:
    """Find title and fix for a cluster.

    Args:
        codes: every code to its entry (`core.issue_codes.all_codes`).
    """
    entry = codes.get(cluster.code)
    if entry is not None:
        title, _, _ = entry.title.partition(";")  # what follows is for the reference
        whole, in_file, in_profile = (
            in_place(text, cluster.field, cluster.column) for text in (entry.fix, entry.in_file, entry.in_profile)
        )
        return Advice(title, whole, in_file, in_profile)
    title = title_of(cluster.code)
    if cluster.severity is Severity.WARNING:
        return Advice(title, "")
    fix = in_place(_REFUSED if cluster.column else _REFUSED_ROW, cluster.field, cluster.column)
    return Advice(title, fix, fix)


def title_of(code: str) -> str:
    """Return the title of a code that has no documentation: its own words."""
    return code.replace("_", " ").capitalize() or "Refused"
