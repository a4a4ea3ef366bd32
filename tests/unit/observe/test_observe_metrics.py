"""Numbers for Prometheus: right, whole, without personal data, and never in the way."""

from __future__ import annotations

import os
import re
import socket
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from importer.core.errors import AccessError, ExitCode
from importer.core.events import Event
from importer.core.ports import Events
from importer.observe import observed
from importer.observe.metrics import metered
from importer.profile import LogSettings, MetricsSettings

COUNTS = {"read": 5, "created": 3, "invalid": 1, "failed": 1}


def happen(sink: Events) -> None:
    """A run of five rows."""
    sink(Event("run_started", {"run_id": "r", "source": "Ann Example.csv", "target": "live", "dry_run": False}))
    sink(Event("batch_loaded", {"rows": 5}))
    sink(Event("batch_checked", {"rows": 5, "invalid": 1}))
    for ordinal, state in enumerate(("created", "created", "created", "failed")):
        sink(Event("row_settled", {"ordinal": ordinal, "state": state, "attempts": 1}))
    for status, verdict in ((201, "accept"), (429, "retry"), (None, "in_doubt")):
        sink(
            Event(
                "request_done", {"kind": "create", "status": status, "verdict": verdict, "code": "", "duration_s": 0.2}
            )
        )
    sink(Event("paused", {"seconds": 1.0, "reason": "rate_limited"}))
    sink(Event("run_ended", {"counts": COUNTS, "exit_code": 3, "elapsed_s": 1.5}))


def numbers(text: str) -> dict[str, float]:
    """Every sample, as Prometheus reads it."""
    return {
        sample.name + "".join(f"[{value}]" for name, value in sorted(sample.labels.items()) if name != "target"): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_textfile_holds_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with metered(MetricsSettings(textfile=path), "live") as metrics:
        assert numbers(path.read_text())["importer_run_in_progress"] == 1.0
        happen(metrics)

    found = numbers(path.read_text())
    assert found["importer_rows_settled_total[created]"] == 3
    assert found["importer_rows_settled_total[invalid]"] == 1
    assert found["importer_rows_read_total"] == 5
    assert found["importer_requests_total[create][201][accept]"] == 1
    assert found["importer_requests_total[create][none][in_doubt]"] == 1
    assert found["importer_request_duration_seconds_count[create]"] == 3
    assert found["importer_request_duration_seconds_sum[create]"] == pytest.approx(0.6)
    assert found["importer_pauses_total"] == 1
    assert found["importer_last_run_rows[read]"] == 5
    assert (found["importer_last_run_exit_code"], found["importer_last_run_duration_seconds"]) == (3, 1.5)
    assert found["importer_last_run_timestamp_seconds"] > 1_700_000_000
    assert found["importer_run_in_progress"] == 0
    assert "Ann" not in path.read_text()


def test_the_textfile_is_written_while_the_run_lasts(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with metered(MetricsSettings(textfile=path, every_s=0.01), "live") as metrics:
        happen(metrics)
        for _ in range(500):
            if "importer_rows_settled_total[created]" in numbers(path.read_text()):
                break
            threading.Event().wait(0.01)
        assert numbers(path.read_text())["importer_rows_settled_total[created]"] == 3


def test_a_textfile_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with metered(MetricsSettings(textfile=path, every_s=0.001), "live") as metrics:
        for _ in range(200):
            metrics(Event("row_settled", {"state": "created"}))
            assert re.search(r"# TYPE importer_last_night_timestamp_seconds gauge\n\Z", path.read_text())
    assert [file.name for file in tmp_path.iterdir()] == ["importer.prom"]


def test_the_port_serves_the_same_numbers_while_the_run_lasts() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with metered(MetricsSettings(port=port), "live") as metrics:
        happen(metrics)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:  # loopback
            found = numbers(answer.read().decode())
    assert found["importer_rows_settled_total[created]"] == 3
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def test_a_run_that_is_refused_leaves_its_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with pytest.raises(AccessError), metered(MetricsSettings(textfile=path), "live"):
        raise AccessError("refused")

    assert numbers(path.read_text())["importer_last_run_exit_code"] == ExitCode.ACCESS


def test_a_port_that_is_taken_and_a_folder_that_is_not_there_stop_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = MetricsSettings(port=taken.getsockname()[1], textfile=tmp_path / "missing" / "importer.prom")
        with observed("r", tmp_path, LogSettings(), target="live", metrics=settings) as sink:
            happen(sink)

    said = capsys.readouterr().err
    assert "metrics_not_served" in said
    assert "metrics_not_written" in said


def test_without_the_setting_nothing_is_counted_and_the_log_is_written_as_before(tmp_path: Path) -> None:
    with observed("r", tmp_path, LogSettings(), target="live") as sink:
        happen(sink)

    assert os.listdir(tmp_path) == ["run.log.jsonl"]  # noqa: PTH208
    assert "run_ended" in (tmp_path / "run.log.jsonl").read_text()
