"""The steps after the creates of a run, as reports show them: counts in JSON types, one sentence, a funnel. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from importer.core.states import RowState
from importer.core.step_tasks import StepCount
from importer.core.steps import FAILED_STEPS, OPEN_STEPS, UNDOING, Step, StepState

APPROVED, DECLINED = "APPROVED", "DECLINED"
_SUBMITTED = (StepState.SUBMITTED, StepState.NEEDS_PERSON, StepState.DONE)
_IN_ORDER = (
    *(Step.UPDATE, Step.VERIFY, Step.BENEFICIARIES, Step.LIMITS, Step.DOCUMENTS, Step.VERIFICATION),
    *(Step.SUSPEND, Step.DELETE),
)
"""The order of a funnel: what was created is verified, then added to, and may be taken back."""
_PHRASES: Mapping[Step, str] = {
    Step.VERIFY: "{} verified",
    Step.BENEFICIARIES: "beneficial owners: {} created",
    Step.LIMITS: "limits set for {}",
    Step.DOCUMENTS: "documents: {} uploaded",
    Step.SUSPEND: "{} suspended",
    Step.DELETE: "{} deleted",
}
_STAGES: Mapping[Step, str] = {
    Step.VERIFY: "Read back, the same",
    Step.BENEFICIARIES: "Beneficial owners created",
    Step.LIMITS: "Limits set",
    Step.DOCUMENTS: "Documents uploaded",
    Step.VERIFICATION: "Identity verification submitted",
    Step.UPDATE: "Updated",
    Step.SUSPEND: "Suspended",
    Step.DELETE: "Deleted",
}
_LEFT: Mapping[StepState, tuple[str, str]] = {
    StepState.DIFFERS: ("differs", "differ"),
    StepState.LISTED: ("would change", "would change"),
    StepState.NOT_READY: ("not ready", "not ready"),
    StepState.FAILED: ("failed", "failed"),
    StepState.UNKNOWN: ("in doubt", "in doubt"),
}
"""Steps that are over and not done, in words: of one, and of several."""


class Stage(NamedTuple):
    """One line of a funnel.

    Args:
        kind: `done`, `open`, `person` or `declined`: how it is drawn.
        is_outcome: it is a part of the stage before.
        left: what is not among the entries, in words.
    """

    title: str
    entries: int
    kind: str = "done"
    is_outcome: bool = False
    left: str = ""


def follow_up_of(counts: Iterable[StepCount]) -> dict[str, Any]:
    """Return the steps of a run in plain JSON types, for reports.

    Args:
        counts: as the journal counts them.
    """
    steps: dict[Step, Counter[StepState]] = {}
    outcomes: Counter[str] = Counter()
    updates: Counter[str] = Counter()
    for one in counts:
        steps.setdefault(one.step, Counter())[one.state] += one.entries
        if one.outcome and one.state is StepState.DONE:
            (updates if one.step is Step.UPDATE else outcomes)[one.outcome] += one.entries
    total: Counter[StepState] = Counter()
    for states in steps.values():
        total.update(states)
    return {
        "steps": {step.value: _named(steps[step]) for step in Step if step in steps},
        "outcomes": dict(outcomes.most_common()),
        "open": sum(total[state] for state in OPEN_STEPS),
        "failed": sum(total[state] for state in FAILED_STEPS),
        **({"updates": dict(updates)} if updates else {}),
    }


def undone_of(counts: Iterable[StepCount]) -> dict[str, int]:
    """Return how many customers of a run were taken back, for reports; {} where nobody has tried.

    Args:
        counts: as the journal counts them.
    """
    entries: Counter[str] = Counter()
    for one in (one for one in counts if one.step in UNDOING):
        if one.state is StepState.DONE:
            entries["deleted" if one.step is Step.DELETE else "suspended"] += one.entries
        else:
            entries["open" if one.state in OPEN_STEPS else "failed"] += one.entries
    return {name: entries[name] for name in ("suspended", "deleted", "failed", "open")} if entries else {}


def undone_sentence(undone: Mapping[str, int]) -> str:
    """Say in words how many customers were taken back; empty where none was.

    Args:
        undone: as `undone_of` gave it.
    """
    done = ((undone.get(name, 0), name) for name in ("suspended", "deleted"))
    words = [
        f"{count:,} of its customers {'was' if count == 1 else 'were'} {name} again." for count, name in done if count
    ]
    if left := undone.get("failed", 0) + undone.get("open", 0):
        words.append(f"{left:,} more {'was' if left == 1 else 'were'} to be, and {'is' if left == 1 else 'are'} not.")
    return " ".join(words)


def steps_sentence(follow_up: Mapping[str, Any]) -> str:
    """Say in one sentence what became of the steps; empty where a run has none.

    Args:
        follow_up: as `follow_up_of` gave it.
    """
    phrases = [", ".join(_phrase(step, states, follow_up)) for step, states in _steps(follow_up)]
    return f"Steps: {'; '.join(phrases)}." if phrases else ""


def stages(follow_up: Mapping[str, Any], counts: Mapping[str, int]) -> list[Stage]:
    """Return the funnel of a run, from its customers to the outcomes of verifications; empty where it has no steps.

    Args:
        counts: rows per state.
    """
    found = [stage for step, states in _steps(follow_up) for stage in _stages(step, states, follow_up["outcomes"])]
    existing = counts.get(RowState.EXISTING, 0)
    created = counts.get(RowState.CREATED, 0)
    first = Stage("Created", created, left=f"{existing:,} existing" if existing else "")
    if not created and Step.UPDATE.value in follow_up.get("steps", {}):
        first = Stage("Found", existing)
    return [first, *found] if found else []


def _named(states: Counter[StepState]) -> dict[str, int]:
    return {state.value: states[state] for state in StepState if states[state]}


def _steps(follow_up: Mapping[str, Any]) -> Iterator[tuple[Step, Mapping[StepState, int]]]:
    """The steps of a run in the order of the funnel, each with its entries per state."""
    steps = follow_up.get("steps", {})
    for step in _IN_ORDER:
        if step in steps:
            yield step, {StepState(state): count for state, count in steps[step].items()}


def _phrase(step: Step, states: Mapping[StepState, int], follow_up: Mapping[str, Any]) -> Iterator[str]:
    if step is Step.VERIFICATION:
        decided = [f"{count:,} {words}" for words, count, _ in _outcomes(states, follow_up["outcomes"])]
        yield f"identity: {', '.join([*decided, *_left(states, OPEN_STEPS)])}"
    elif step is Step.UPDATE:
        said = [f"{count:,} {word}" for word, count in sorted(follow_up.get("updates", {}).items())]
        yield from said or [f"{states.get(StepState.DONE, 0):,} updated"]
        yield from _left(states, OPEN_STEPS)
    else:
        yield _PHRASES[step].format(f"{states.get(StepState.DONE, 0):,}")
        yield from _left(states, OPEN_STEPS)


def _stages(step: Step, states: Mapping[StepState, int], outcomes: Mapping[str, int]) -> Iterator[Stage]:
    over = _SUBMITTED if step is Step.VERIFICATION else (StepState.DONE,)
    left = ", ".join(_left(states, OPEN_STEPS.difference(over)))
    yield Stage(_STAGES[step], _total(states, over), left=left)
    if step is Step.VERIFICATION:
        undecided = ("waiting for the outcome", states.get(StepState.SUBMITTED, 0), "open")
        for words, count, kind in (*_outcomes(states, outcomes), undecided):
            if count:
                yield Stage(words.capitalize(), count, kind, is_outcome=True)


def _outcomes(states: Mapping[StepState, int], outcomes: Mapping[str, int]) -> Iterator[tuple[str, int, str]]:
    """What came of the verifications that were submitted: words, count, and how it is drawn."""
    done = states.get(StepState.DONE, 0) - sum(outcomes.values())
    for outcome in sorted(outcomes, key=lambda word: (word != APPROVED, word != DECLINED)):
        yield outcome.lower().replace("_", " "), outcomes[outcome], "declined" if outcome == DECLINED else "done"
    if done > 0:
        yield "completed", done, "done"
    if persons := states.get(StepState.NEEDS_PERSON, 0):
        yield "needs a person" if persons == 1 else "need a person", persons, "person"


def _left(states: Mapping[StepState, int], opened: Collection[StepState]) -> list[str]:
    """What is not done, in words.

    Args:
        opened: the states that count as open.
    """
    found = [(states[state], words) for state, words in _LEFT.items() if states.get(state)]
    waiting = _total(states, opened)
    return [*(f"{count:,} {words[count > 1]}" for count, words in found), *([f"{waiting:,} open"] if waiting else [])]


def _total(states: Mapping[StepState, int], chosen: Collection[StepState]) -> int:
    return sum(states.get(state, 0) for state in chosen)
