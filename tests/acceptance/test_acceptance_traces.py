"""Traces and metrics of real imports, as a real collector gets them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.collector import Collector, attributes, collecting
from tests.acceptance.conftest import Ran, User, Witness, people, sandbox, serving_here

FAULTS = """
[[rule]]
fault = "status"
status = 422
on = ["create"]
for_requests = 4
[[rule]]
fault = "status"
status = 503
on = ["create"]
from_request = 10
for_requests = 2
"""
HEADER, *PEOPLE = people(300).splitlines()
NAME = "canary-file-of-customers"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as found:
        yield found


def otel(collector: Collector, witness: Witness) -> dict[str, str]:
    return {**witness.environ, "IMPORTER_OTEL__ENABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}


def holds_no_value(collector: Collector, user: User, secrets: dict[str, str]) -> None:
    """Look through everything that was sent, byte by byte."""
    cells = {cell for line in PEOPLE for cell in line.split(",")}
    words = cells | {HEADER, NAME, str(user.home), "example.com", "Given", "Family", "+1212", *secrets.values()}
    sent = b"".join(collector.bodies)
    assert [word for word in sorted(words) if word.encode() in sent] == []


def fits(collector: Collector, ran: Ran) -> None:
    """Hold the numbers against the report."""
    counts = {state: count for state, count in ran.json["counts"].items() if count and state != "read"}
    assert +collector.counted("importer.rows", "state") == counts
    requests = collector.named("request")
    assert sum(collector.counted("importer.requests", "kind").values()) == len(requests)
    assert sum(point.count for point in collector.points["importer.request.duration"]) == len(requests)


def test_a_run_is_a_trace_of_batches_and_requests_and_no_value_is_in_it(
    user: User, collector: Collector, profile_for: Callable[..., Path]
) -> None:
    spoiled = [line.replace("@", " at ") if number < 4 else line for number, line in enumerate(PEOPLE)]
    source = user.has(f"{NAME}.csv", "\n".join([HEADER, *spoiled]) + "\n")
    with serving_here(user.has("faults.toml", FAULTS)) as witness:
        quick = ['rate = "500/s"', "backoff_base_s = 0.05", "looks_after_s = [0, 0.1]"]
        profile = profile_for(witness, delivery=quick)
        ran = user.types_for_real("run", source, *sandbox(profile), "--json", **otel(collector, witness))
        ledger = witness.ledger()

    assert ran.code == 3, ran.out
    (run,) = collector.named("run")
    assert run.parent_span_id == b""
    inside = collector.named("batch") + collector.named("request")
    assert {(span.trace_id, span.parent_span_id) for span in inside} == {(run.trace_id, run.span_id)}
    assert len({span.span_id for span in inside}) == len(inside)
    assert {span.name for span in collector.spans} == {"run", "batch", "request"}
    for span in collector.named("request"):
        assert run.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= run.end_time_unix_nano
    assert attributes(run)["importer.run_id"] == ran.json["run_id"]
    assert attributes(run)["importer.exit_code"] == 3
    assert {state: attributes(run)[f"importer.rows.{state}"] for state in ran.json["counts"]} == ran.json["counts"]
    batches = [attributes(span) for span in collector.named("batch")]
    for stage in ("load", "check"):
        rows = [int(span["importer.rows"]) for span in batches if span["importer.stage"] == stage]
        assert sum(rows) == len(PEOPLE)
    asked = [attributes(span) for span in collector.named("request")]
    creates = [reported for reported in asked if reported["importer.kind"] == "create"]
    assert Counter(str(reported["http.response.status_code"]) for reported in creates) == ledger["counts"]["create"]
    assert {reported["importer.kind"] for reported in asked} == {"create", "find", "token"}  # the 503 were looked after
    fits(collector, ran)
    holds_no_value(collector, user, witness.environ)


def test_every_file_of_a_night_is_a_trace_of_its_own(
    user: User, witness: Witness, collector: Collector, profile_for: Callable[..., Path]
) -> None:
    (user.home / "inbox").mkdir()
    for number in (1, 2):
        lines = PEOPLE[: 10 * number]
        (user.home / "inbox" / f"{NAME}-{number}.csv").write_text("\n".join([HEADER, *lines]) + "\n")
    profile = profile_for(witness, delivery=['rate = "500/s"'], more="[nightly]\nsettle_s = 0.02")
    ran = user.types("nightly", "inbox", *sandbox(profile), "--json", **otel(collector, witness))

    assert ran.code == 0
    runs = collector.named("run")
    assert [attributes(run)["importer.run_id"] for run in runs] == [one["run_id"] for one in ran.json["imports"]]
    assert len({run.trace_id for run in runs}) == 2
    requests = Counter(span.parent_span_id for span in collector.named("request"))
    assert [requests[run.span_id] for run in runs] == [11, 11]  # with the token; the second file knows ten of the first
    fits(collector, ran)
    holds_no_value(collector, user, witness.environ)


@pytest.mark.slow
def test_a_collector_that_is_not_there_costs_a_night_nothing(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    (user.home / "inbox").mkdir()
    (user.home / "inbox" / "a.csv").write_text(people(5))
    nowhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    profile = profile_for(witness, more="[nightly]\nsettle_s = 0.02")
    environ = {**witness.environ, "IMPORTER_OTEL__ENABLED": "true", **nowhere}
    ran = user.types_for_real("nightly", "inbox", *sandbox(profile), "--json", **environ)

    assert (ran.code, ran.json["counts"]["created"]) == (0, 5)
