"""Events reach every sink, in order, and each sink takes the kinds that it has a method for."""

from __future__ import annotations

from importer.core.events import Event
from importer.observe.sinks import Data, FanOut, Sink


class Rows(Sink):
    """Keeps the rows of batches."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def on_batch_loaded(self, data: Data) -> None:
        self.rows.append(data["rows"])


def test_a_sink_takes_the_kinds_of_events_that_it_has_a_method_for() -> None:
    rows = Rows()
    for event in (Event("batch_loaded", {"rows": 3}), Event("something_new", {"rows": 4})):
        rows(event)

    assert rows.rows == [3]


def test_every_event_goes_to_all_sinks_in_their_order() -> None:
    taken: list[str] = []
    sink = FanOut(
        lambda event: taken.append(f"first {event.name}"), Rows(), lambda event: taken.append(f"last {event.name}")
    )
    sink(Event("run_started"))

    assert taken == ["first run_started", "last run_started"]
