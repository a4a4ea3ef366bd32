"""Batches on their way to another process and back: whole, and no larger than their own rows."""

from __future__ import annotations

import pickle

from importer.core.batches import RawBatch
from importer.core.frames import frame_to_bytes, raw_batch
from importer.core.issues import Issue
from importer.engines.checking import Job


def travelled(batch: RawBatch) -> RawBatch:
    job: Job = pickle.loads(pickle.dumps(Job(batch)))  # noqa: S301  # made here
    return job.batch


def test_a_batch_arrives_as_it_was() -> None:
    issues = (Issue(7, "row_too_long", "1 extra cell."),)
    batch = raw_batch(7, [9, 12], [["Ann", ""], ["é", "\U0001f600"]], issues, {0: ("call back",)}, names=["a", "b c"])

    arrived = travelled(batch)

    assert arrived.frame.equals(batch.frame)
    assert (arrived.first, arrived.issues, arrived.surplus) == (batch.first, batch.issues, batch.surplus)
    assert (arrived.rows, arrived.frame.index.name) == ([9, 12], "row")


def test_a_part_of_a_large_block_takes_nothing_else_along() -> None:
    whole = raw_batch(0, range(100_000), [["x" * 10] * 100_000])
    part = RawBatch(500, whole.frame.iloc[500:600])

    assert travelled(part).frame.equals(part.frame)
    assert len(pickle.dumps(Job(part))) < 5_000


def test_what_the_journal_has_packed_is_not_packed_again_for_the_way() -> None:
    batch = raw_batch(0, [2, 3], [["Ann", "Bob"]])
    kept = batch.packed(frame_to_bytes)

    assert batch.packed(lambda _: b"again") is kept
    assert kept in pickle.dumps(Job(batch))


def test_texts_that_were_made_on_the_way_do_not_travel() -> None:
    batch = raw_batch(0, range(1_000), [["some text"] * 1_000])
    size = len(pickle.dumps(Job(batch)))

    assert batch.cells[0][0] == "some text"
    assert len(pickle.dumps(Job(batch))) == size
