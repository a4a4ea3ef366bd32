"""Columns of few different words (types, countries): each different word is read once, and written as the API has it.

Readers are the fields' own; what one refuses or doubts stays as it is, for the customer's type to judge.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from importer.customers.fields import read
from importer.customers.notes import Notes
from importer.customers.reading import Policy, Reading, Step
from importer.customers.specs import CustomerType, FieldSpec, Kind

KINDS = frozenset({Kind.ENUM, Kind.COUNTRY})
MEMORY_WORDS = 10_000
"""How many different words a field remembers before it forgets all and begins anew."""


class Words:
    """The words of one field."""

    def __init__(self, spec: FieldSpec, policy: Policy) -> None:
        self._spec, self._policy = spec, policy
        self._known: dict[str, Reading] = {}

    def concern(self, kind: CustomerType | None) -> bool:
        """Tell whether customers of a type have the field; None: whether any have."""
        return kind is None or kind in self._spec.types

    def values(self, texts: Sequence[str]) -> list[str]:
        """What the texts mean; "" where a text is blank or means nothing."""
        known = self._read(texts)
        return [known[text].value for text in texts]

    def written(self, texts: Sequence[str], notes: Notes, aside: Collection[int]) -> Sequence[str]:
        """Write the words as the API has them, and note each that was altered.

        Args:
            aside: places whose words are not sent: what becomes of them is nobody's business.
        """
        known = self._read(texts)
        altered = {text: found for text in dict.fromkeys(texts) if (found := _steps(known[text]))}
        if not altered:
            return texts
        for rule in dict.fromkeys(rule for steps in altered.values() for rule in steps):
            words = {text: steps[rule] for text, steps in altered.items() if rule in steps}
            places = [place for place, text in enumerate(texts) if text in words and place not in aside]
            done = [words[texts[place]] for place in places]
            notes.change_all(
                rule, self._spec.name, places, [step.before for step in done], [step.after for step in done]
            )
        return [known[text].value if text in altered else text for text in texts]

    def _read(self, texts: Sequence[str]) -> dict[str, Reading]:
        if len(self._known) > MEMORY_WORDS:
            self._known.clear()
        for text in set(texts).difference(self._known):
            self._known[text] = read(self._spec, text, self._policy)
        return self._known


def _steps(reading: Reading) -> dict[str, Step]:
    """What altered a text about which nothing else is to be said, by rule."""
    return {} if reading.error or reading.warnings else {step.rule: step for step in reading.steps}
