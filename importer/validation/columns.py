"""One column of texts at a time: nearly every cell is clean and is passed at the cost of a glance.

Each check singles out the cells that its glance cannot vouch for and reads those with the reference reader of
`importer.customers.fields`; property tests prove that no glance differs from the reader. Memories are bounded.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from importer.customers.fields import read
from importer.customers.postal import SHAPES
from importer.customers.reading import Policy, Reading
from importer.customers.rules import FieldSpec
from importer.validation.findings import Findings

MEMORY_TEXTS = 50_000
"""How many different texts a column remembers before it forgets all and begins anew."""


class ColumnCheck(ABC):
    """Checks one field's column.

    Args:
        spec: the field.
        policy: how strict to be.
    """

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        self.spec = spec
        self.policy = policy

    def check(self, texts: Sequence[str], found: Findings, countries: Sequence[str] = ()) -> Sequence[str]:
        """Normalise a column; what is wrong with a cell goes to `found`, and the cell becomes blank.

        Args:
            countries: for states, postal codes and phone numbers, where each row belongs, as
                `importer.customers.fields.read` takes it; empty when not known.
        """
        suspects = self.suspects(texts, countries)
        if not suspects:
            return texts
        values = list(texts)
        found.settle(self.spec, suspects, self.readings(suspects, texts, countries), values)
        return values

    @abstractmethod
    def suspects(self, texts: Sequence[str], countries: Sequence[str]) -> Sequence[int]:
        """Single out the places whose texts must be read with care."""

    def readings(self, places: Sequence[int], texts: Sequence[str], countries: Sequence[str]) -> Iterator[Reading]:
        """Read some cells with care, one after the other: kept together they would keep the garbage collector busy."""
        return (self.read(texts[place], countries[place] if countries else "") for place in places)

    def read(self, text: str, country: str) -> Reading:
        """Read one text as the reference does."""
        return read(self.spec, text, self.policy, country)


class MemoCheck(ColumnCheck):
    """Fields of few different texts: what was found clean once is known from then on."""

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        super().__init__(spec, policy)
        self._good: defaultdict[str, set[str]] = defaultdict(_blank_is_good)
        self._others: dict[tuple[str, str], Reading] = {}
        self._remembered = 0

    def suspects(self, texts: Sequence[str], countries: Sequence[str]) -> Sequence[int]:
        """Find what was not seen before, or not clean."""
        different = set(countries)
        if len(different) < 2:
            good = self._good[different.pop() if different else ""]
            return () if good.issuperset(texts) else [place for place, text in enumerate(texts) if text not in good]
        pairs = zip(texts, countries, strict=True)
        return [place for place, (text, country) in enumerate(pairs) if text not in self._good[country]]

    def check(self, texts: Sequence[str], found: Findings, countries: Sequence[str] = ()) -> Sequence[str]:
        """Normalise a column, as a whole where all that is to be done is one and the same."""
        suspects = () if countries else self.suspects(texts, countries)
        if suspects:
            before = [texts[place] for place in suspects]
            known = {text: self.read(text, "") for text in set(before)}
            rule = _one_rule(known.values())
            after = [known[text].value for text in before] if rule else []
            if rule and found.settle_alike(self.spec, rule, suspects, before, after):
                altered = {text: reading.value for text, reading in known.items()}
                return [altered.get(text, text) for text in texts]
        return super().check(texts, found, countries)

    def readings(self, places: Sequence[int], texts: Sequence[str], countries: Sequence[str]) -> Iterator[Reading]:
        """Read some cells; without countries every different text only once."""
        if countries:
            return super().readings(places, texts, countries)
        known = {text: self.read(text, "") for text in {texts[place] for place in places}}
        return (known[texts[place]] for place in places)

    def read(self, text: str, country: str) -> Reading:
        """Read one text, or remember how it was read."""
        return self._others.get((text, country)) or self._learn(text, country)

    def _learn(self, text: str, country: str) -> Reading:
        if self._remembered >= MEMORY_TEXTS:
            self._good.clear()
            self._others.clear()
            self._remembered = 0
        self._remembered += 1
        reading = super().read(text, country)
        if reading.clean:
            self._good[country].add(text)
        else:
            self._others[text, country] = reading
        return reading


def _one_rule(readings: Iterable[Reading]) -> str:
    """Return the rule that alone altered each of some texts, and left nothing to be said; "" where that differs."""
    rules = {
        reading.steps[0].rule
        if len(reading.steps) == 1 and not (reading.error or reading.warnings or reading.extension)
        else ""
        for reading in readings
    }
    return rules.pop() if len(rules) == 1 else ""


def _blank_is_good() -> set[str]:
    return {""}


class PostalCheck(ColumnCheck):
    """Postal codes: a code that has its country's shape is clean."""

    def suspects(self, texts: Sequence[str], countries: Sequence[str]) -> Sequence[int]:
        """Find what has not its country's shape."""
        different = set(countries)
        if len(different) == 1 and (shape := SHAPES.get(different.pop())):
            match = shape.fullmatch
            return [place for place, text in enumerate(texts) if text and match(text) is None]
        pairs = zip(texts, countries or [""] * len(texts), strict=True)
        return [place for place, (text, country) in enumerate(pairs) if text and not _has_shape(text, country)]


def _has_shape(text: str, country: str) -> bool:
    shape = SHAPES.get(country)
    return shape is not None and shape.fullmatch(text) is not None
