"""The steps after the creates of a run as a report counts them, says them and draws them."""

from __future__ import annotations

from itertools import starmap

import pytest

from importer.core.step_tasks import StepCount
from importer.core.steps import Step, StepState
from importer.results.follow_up import follow_up_of, stages, steps_sentence, undone_of, undone_sentence

COUNTS = list(
    starmap(
        StepCount,
        [
            (Step.LIMITS, StepState.DONE, "", 180),
            (Step.LIMITS, StepState.FAILED, "", 2),
            (Step.VERIFICATION, StepState.WAITING, "", 1),
            (Step.VERIFICATION, StepState.SUBMITTED, "", 29),
            (Step.VERIFICATION, StepState.DONE, "DECLINED", 3),
            (Step.VERIFICATION, StepState.DONE, "APPROVED", 150),
            (Step.VERIFICATION, StepState.NEEDS_PERSON, "", 4),
            (Step.VERIFY, StepState.DONE, "", 187),
            (Step.VERIFY, StepState.DIFFERS, "", 2),
        ],
    )
)
FOLLOW_UP = follow_up_of(COUNTS)


def test_steps_are_counted_by_state_outcomes_by_their_word_and_what_is_open_or_failed_in_all() -> None:
    assert FOLLOW_UP == {
        "steps": {
            "limits": {"done": 180, "failed": 2},
            "verification": {"waiting": 1, "submitted": 29, "done": 153, "needs_person": 4},
            "verify": {"done": 187, "differs": 2},
        },
        "outcomes": {"APPROVED": 150, "DECLINED": 3},
        "open": 30,
        "failed": 4,
    }
    assert list(FOLLOW_UP["steps"]) == ["limits", "verification", "verify"]


def test_one_sentence_says_it_all() -> None:
    assert steps_sentence(FOLLOW_UP) == (
        "Steps: 187 verified, 2 differ; limits set for 180, 2 failed; "
        "identity: 150 approved, 3 declined, 4 need a person, 30 open."
    )


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([StepCount(Step.VERIFY, StepState.DIFFERS, "", 1)], "Steps: 0 verified, 1 differs."),
        ([StepCount(Step.LIMITS, StepState.WAITING, "", 1200)], "Steps: limits set for 0, 1,200 open."),
        ([StepCount(Step.DOCUMENTS, StepState.UNKNOWN, "", 2)], "Steps: documents: 0 uploaded, 2 in doubt."),
        ([StepCount(Step.BENEFICIARIES, StepState.DONE, "", 12)], "Steps: beneficial owners: 12 created."),
        ([StepCount(Step.VERIFICATION, StepState.NOT_READY, "", 5)], "Steps: identity: 5 not ready."),
        ([StepCount(Step.VERIFICATION, StepState.NEEDS_PERSON, "", 1)], "Steps: identity: 1 needs a person."),
        ([StepCount(Step.UPDATE, StepState.DONE, "", 3)], "Steps: 3 updated."),
        ([StepCount(Step.SUSPEND, StepState.FAILED, "", 1)], "Steps: 0 suspended, 1 failed."),
        ([StepCount(Step.DELETE, StepState.DONE, "", 3)], "Steps: 3 deleted."),
        ([StepCount(Step.VERIFICATION, StepState.DONE, "", 2)], "Steps: identity: 2 completed."),
        ([StepCount(Step.VERIFICATION, StepState.DONE, "PARTLY_DONE", 2)], "Steps: identity: 2 partly done."),
    ],
)
def test_every_step_has_words_for_one_and_for_many(counts: list[StepCount], sentence: str) -> None:
    assert steps_sentence(follow_up_of(counts)) == sentence


@pytest.mark.parametrize("step", Step)
def test_no_step_is_left_out(step: Step) -> None:
    one = follow_up_of([StepCount(step, StepState.DONE, "", 1)])
    assert steps_sentence(one)
    assert len(stages(one, {"created": 1})) >= 2


def test_a_run_without_steps_has_no_sentence_and_no_funnel() -> None:
    assert steps_sentence({}) == steps_sentence(follow_up_of([])) == ""
    assert stages({}, {"created": 3}) == stages(follow_up_of([]), {"created": 3}) == []


def test_the_funnel_goes_from_the_created_customers_to_the_outcomes() -> None:
    found = stages(FOLLOW_UP, {"read": 200, "created": 189, "existing": 2})
    assert [(one.title, one.entries, one.left) for one in found if not one.is_outcome] == [
        ("Created", 189, "2 existing"),
        ("Read back, the same", 187, "2 differ"),
        ("Limits set", 180, "2 failed"),
        ("Identity verification submitted", 186, "1 open"),
    ]
    assert [(one.title, one.entries, one.kind) for one in found if one.is_outcome] == [
        ("Approved", 150, "done"),
        ("Declined", 3, "declined"),
        ("Need a person", 4, "person"),
        ("Waiting for the outcome", 29, "open"),
    ]


def test_the_outcomes_add_up_to_what_was_submitted() -> None:
    found = stages(FOLLOW_UP, {"created": 189})
    submitted = next(one for one in found if one.title.endswith("submitted"))
    assert sum(one.entries for one in found if one.is_outcome) == submitted.entries


def test_customers_that_are_taken_back_are_counted_by_what_was_done() -> None:
    counts = [
        StepCount(Step.LIMITS, StepState.FAILED, "", 9),
        StepCount(Step.SUSPEND, StepState.DONE, "", 193),
        StepCount(Step.SUSPEND, StepState.FAILED, "", 1),
        StepCount(Step.SUSPEND, StepState.UNKNOWN, "", 1),
        StepCount(Step.DELETE, StepState.DONE, "", 1),
        StepCount(Step.DELETE, StepState.WAITING, "", 4),
    ]
    undone = undone_of(counts)
    assert undone == {"suspended": 193, "deleted": 1, "failed": 2, "open": 4}
    assert undone_sentence(undone) == (
        "193 of its customers were suspended again. 1 of its customers was deleted again."
        " 6 more were to be, and are not."
    )


def test_a_run_that_nobody_takes_back_says_nothing_of_it() -> None:
    assert undone_of(COUNTS) == {}
    assert undone_sentence({}) == ""
    assert undone_sentence({"suspended": 0, "deleted": 0, "failed": 1, "open": 0}) == "1 more was to be, and is not."
