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
        altered = {text: step for text in set(texts) if (step := _only_step(known[text])) is not None}
        if not altered:
            return texts
        for rule in {step.rule for step in altered.values()}:
            words = {text for text, step in altered.items() if step.rule == rule}
            places = [place for place, text in enumerate(texts) if text in words and place not in aside]
            before = [texts[place] for place in places]
            notes.change_all(rule, self._spec.name, places, before, [altered[text].after for text in before])
        after = {text: step.after for text, step in altered.items()}
        return [after.get(text, text) for text in texts]

    def _read(self, texts: Sequence[str]) -> dict[str, Reading]:
        if len(self._known) > MEMORY_WORDS:
            self._known.clear()
        for text in set(texts).difference(self._known):
            self._known[text] = read(self._spec, text, self._policy)
        return self._known


def _only_step(reading: Reading) -> Step | None:
    """The one rule that altered a text about which nothing else is to be said."""
    _, steps, error, warnings, _, _ = reading
    return steps[0] if len(steps) == 1 and not (error or warnings) else None
