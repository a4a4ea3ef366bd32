"""Columns of few different words (types, countries): each different word is read once, and written as the API has it.

Readers are the contract's; what one refuses or doubts stays as it is, for the record's type to check.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from importer.core.contract import Checks, FieldSpec, Kind, Notes, Policy, Reading, Step

KINDS = frozenset({Kind.ENUM, Kind.COUNTRY})
MEMORY_WORDS = 10_000
"""How many different words a field remembers before it forgets all and begins anew."""


class Words:
    """The words of one field."""

    def __init__(self, spec: FieldSpec, checks: Checks, policy: Policy) -> None:
        self.spec, self._checks, self._policy = spec, checks, policy
        self._known: dict[str, Reading] = {}

    def values(self, texts: Sequence[str]) -> list[str]:
        """What the texts mean; "" where a text is blank or means nothing."""
        known = self._read(texts)
        return [known[text].value for text in texts]

    def written(self, texts: Sequence[str], notes: Notes, aside: Collection[int]) -> Sequence[str]:
        """Write the words as the API has them, and note each that was altered.

        Args:
            aside: places whose words are not sent: what becomes of them does not matter.
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
                rule, self.spec.name, places, [step.before for step in done], [step.after for step in done]
            )
        return [known[text].value if text in altered else text for text in texts]

    def _read(self, texts: Sequence[str]) -> dict[str, Reading]:
        if len(self._known) > MEMORY_WORDS:
            self._known.clear()
        for text in set(texts).difference(self._known):
            self._known[text] = self._checks.read(self.spec, text, self._policy)
        return self._known


def _steps(reading: Reading) -> dict[str, Step]:
    """What altered a text that needs no other remark, by rule."""
    return {} if reading.error or reading.warnings else {step.rule: step for step in reading.steps}
