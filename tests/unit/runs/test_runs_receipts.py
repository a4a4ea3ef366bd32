"""A run of several passes: each has its receipt, and a killed one has none."""

from __future__ import annotations

from importer.journal import RateReceipt, RunFacts
from importer.runs.receipts import pass_begun, pass_ended


def receipt(requests: int, most: int = 4) -> RateReceipt:
    return RateReceipt(requests=requests, paused_s=0.5, most_in_flight=most, allowance="10/s")


def test_a_run_of_one_pass_shows_its_receipt_and_nothing_else() -> None:
    facts = pass_begun(RunFacts())
    assert pass_ended(facts, receipt(7)) == RunFacts(passes=(receipt(7),), rate=receipt(7))


def test_a_killed_pass_keeps_its_place_and_the_last_one_comes_first() -> None:
    facts = pass_begun(RunFacts())  # and killed
    facts = pass_begun(facts)
    facts = pass_ended(facts, receipt(5, most=9))
    facts = pass_begun(facts)
    facts = pass_ended(facts, receipt(2))
    rate = facts.rate

    assert facts.passes == rate.passes == (None, receipt(5, most=9), receipt(2))
    assert (rate.requests, rate.most_in_flight) == (2, 4)
    assert rate.all_passes.as_json() == {
        "passes": 3,
        "killed_without_a_receipt": 1,
        "requests": 7,
        "paused_s": 1.0,
        "most_in_flight": 9,
    }


def test_a_run_that_an_older_program_began_has_the_receipt_that_it_left() -> None:
    facts = pass_begun(RunFacts(rate=receipt(3)))

    assert facts.passes == (receipt(3), None)
