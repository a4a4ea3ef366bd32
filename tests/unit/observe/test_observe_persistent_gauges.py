"""What a textfile says of the last run outlives the process that wrote it, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import prometheus_client as prometheus
import pytest

from importer.observe.persistent_gauges import PersistentGauges


def shown(target: str, path: Path | None = None) -> tuple[PersistentGauges, prometheus.CollectorRegistry]:
    registry = prometheus.CollectorRegistry()
    lasting = PersistentGauges(registry, target)
    if path is not None:
        lasting.recall(path)
    return lasting, registry


def written(registry: prometheus.CollectorRegistry, path: Path) -> Path:
    prometheus.write_to_textfile(str(path), registry)
    return path


def test_what_another_target_came_to_stays_beside_ours(tmp_path: Path) -> None:
    lasting, registry = shown("live")
    lasting.run_counted({"read": 3, "created": 2}, 1.5)
    lasting.run_ended(3)
    lasting, registry = shown("sandbox", written(registry, tmp_path / "a.prom"))
    lasting.run_ended(5)

    codes = [registry.get_sample_value("importer_last_run_exit_code", {"target": name}) for name in ("live", "sandbox")]
    assert codes == [3, 5]
    assert registry.get_sample_value("importer_last_run_rows", {"target": "live", "state": "created"}) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"importer_last_run_exit_code{target=",
        b"importer_last_run_exit_code 7\n",
        b'importer_last_run_exit_code{target="live",more="x"} 7\n',
        b'importer_rows_read_total{target="live"} 7\n',
    ],
)
def test_a_textfile_that_is_not_ours_is_ignored(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.prom").write_bytes(content)
    _, registry = shown("live", tmp_path / "a.prom")

    assert [sample for family in registry.collect() for sample in family.samples] == []


def test_a_missing_textfile_is_ignored(tmp_path: Path) -> None:
    _, registry = shown("live", tmp_path / "a.prom")
    lasting, again = shown("live", tmp_path)
    lasting.looked()

    assert [sample for family in registry.collect() for sample in family.samples] == []
    assert len([sample for family in again.collect() for sample in family.samples]) == 1
