"""What checking a batch finds: issues, changes, and which cells failed. Sparse: a clean row costs nothing here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from operator import gt, itemgetter

from importer.customers.reading import Reading, Step
from importer.customers.rules import ISSUE_CODES, FieldSpec, message
from importer.records import ChangeColumn, Issue, Severity

Kept = tuple[list[int], list[str], list[str]]
"""Ordinals, texts before, texts after."""


class Findings:
    """The findings about some rows of a batch.

    Args:
        ordinals: the ordinal of each row that is looked at; everything else here counts rows by their place in it.
        columns: dotted name to source column, for messages.
        no_change: fields whose values may not be altered.
    """

    def __init__(self, ordinals: Sequence[int], columns: Mapping[str, str], no_change: Collection[str] = ()) -> None:
        self.columns = columns
        self.issues: list[Issue] = []
        self.bad: set[int] = set()
        self.failed: defaultdict[str, set[int]] = defaultdict(set)
        self.extensions: defaultdict[str, dict[int, str]] = defaultdict(dict)
        self._ordinals = ordinals
        self._no_change = no_change
        self._changes: dict[tuple[str, str], Kept] = {}

    def adopt(self, issues: Iterable[Issue], places: Mapping[int, int]) -> None:
        """Take over what reading and mapping found.

        Args:
            places: ordinal to place, for the rows that are looked at here.
        """
        for issue in issues:
            place = places.get(issue.ordinal)
            if place is None:
                continue
            self.issues.append(issue)
            if issue.severity is Severity.ERROR:
                self.bad.add(place)
                self.failed[issue.field].add(place)

    def report(self, place: int, code: str, spec: FieldSpec, countries: Sequence[str] = ()) -> None:
        """Note an issue; an error makes the row invalid and the cell failed.

        Args:
            countries: see `importer.customers.rules.message`.
        """
        severity = ISSUE_CODES[code].severity
        if severity is Severity.ERROR:
            self.bad.add(place)
            self.failed[spec.name].add(place)
        column = self.columns.get(spec.name, "")
        text = message(code, spec, countries)
        self.issues.append(Issue(self._ordinals[place], code, text, spec.name, column, severity))

    def apply(self, place: int, spec: FieldSpec, reading: Reading) -> str:
        """Note what became of a cell.

        Returns:
            The text to go on with: "" where the cell failed, now or before.
        """
        if place in self.failed[spec.name]:
            return ""
        error = reading.error or ("change_forbidden" if reading.steps and spec.name in self._no_change else "")
        if error:
            self.report(place, error, spec, reading.countries)
            return ""
        for step in reading.steps:
            self.change(place, spec, step)
        for code in reading.warnings:
            self.report(place, code, spec, reading.countries)
        return reading.value

    def settle(self, spec: FieldSpec, places: Sequence[int], readings: Iterable[Reading], values: list[str]) -> None:
        """Note what became of many cells of a column, and put the texts to go on with into `values`."""
        careful = spec.name in self._no_change or bool(self.failed.get(spec.name))
        rule, ordinals, before, after = "", [0], [""], [""]
        for place, reading in zip(places, readings, strict=True):
            value, steps, error, warnings, extension, _ = reading
            if error or warnings or careful:
                value = values[place] = self.apply(place, spec, reading)
            else:
                values[place] = value
                for step in steps:
                    if step.rule != rule:  # nearly always the same rule: its lists stay at hand
                        rule = step.rule
                        ordinals, before, after = self._kept(rule, spec)
                    ordinals.append(self._ordinals[place])
                    before.append(step.before)
                    after.append(step.after)
            if extension and value:
                self.extensions[spec.name][place] = extension

    def settle_alike(
        self, spec: FieldSpec, rule: str, places: Sequence[int], before: Sequence[str], after: Sequence[str]
    ) -> bool:
        """Note that one rule altered many cells of a column, and nothing else is to be said of them.

        Returns:
            False where single cells have to be looked at, and nothing was noted.
        """
        if spec.name in self._no_change or self.failed.get(spec.name):
            return False
        kept = self._kept(rule, spec)
        kept[0].extend([self._ordinals[place] for place in places])
        kept[1].extend(before)
        kept[2].extend(after)
        return True

    def change(self, place: int, spec: FieldSpec, step: Step) -> None:
        """Note that a rule altered a cell."""
        ordinals, before, after = self._kept(step.rule, spec)
        ordinals.append(self._ordinals[place])
        before.append(step.before)
        after.append(step.after)

    def _kept(self, rule: str, spec: FieldSpec) -> Kept:
        found = self._changes.get((rule, spec.name))
        if found is None:
            found = self._changes[rule, spec.name] = ([], [], [])
        return found

    def changes(self) -> Iterator[ChangeColumn]:
        """All changes, by rule and field, each in row order."""
        for (rule, name), (ordinals, before, after) in self._changes.items():
            kept: tuple[Sequence[int], Sequence[str], Sequence[str]] = ordinals, before, after
            if any(map(gt, ordinals, ordinals[1:])):
                rows = sorted(zip(ordinals, before, after, strict=True), key=itemgetter(0))
                kept = [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
            yield ChangeColumn(rule, name, self.columns.get(name, ""), *kept)
