"""Numbers and traces of a real run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.conftest import ROOT, SAMPLES, User

SETTING = {"metrics": "IMPORTER_METRICS__TEXTFILE", "otel": "IMPORTER_OTEL__ENABLED"}
MODULE = {"metrics": "prometheus_client", "otel": "opentelemetry"}


def test_the_textfile_holds_the_numbers_of_the_report(user: User) -> None:
    ran = user.types(
        "run", SAMPLES / "customers_messy.csv", "--json", IMPORTER_METRICS__TEXTFILE=str(user.home / "importer.prom")
    )
    text = (user.home / "importer.prom").read_text(encoding="utf-8")

    reported = {state: float(value) for state, value in re.findall(r'last_run_rows{state="(\w+)",.*} (\S+)', text)}
    settled = {state: float(value) for state, value in re.findall(r'rows_settled_total{state="(\w+)",.*} (\S+)', text)}
    assert reported == ran.json["counts"]
    assert settled["created"] == ran.json["counts"]["created"]
    assert 'importer_last_run_exit_code{target="emulator"} 3.0' in text
    assert "customers_messy" not in text


@pytest.mark.parametrize("group", ["metrics", "otel"])
@pytest.mark.slow
def test_what_is_asked_for_and_not_installed_is_refused_before_anything_is_made(
    user: User, tmp_path: Path, group: str
) -> None:
    hidden = tmp_path / "hidden" / MODULE[group]
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text(f"raise ModuleNotFoundError('No module named {MODULE[group]}')\n")
    value = "true" if group == "otel" else str(tmp_path / "importer.prom")
    ran = user.types_for_real(
        "run", SAMPLES / "customers.csv", PYTHONPATH=f"{hidden.parent}:{ROOT}", **{SETTING[group]: value}
    )

    assert ran.code == 2
    assert f'pip install ".[{group}]"' in ran.err
    assert len(ran.err.strip().splitlines()) == 1
    assert [path.name for path in user.home.iterdir()] == ["hidden"]


def test_a_file_that_cannot_be_used_leaves_its_exit_code_and_a_mistake_does_not(user: User) -> None:
    prom = user.home / "importer.prom"
    user.environ["IMPORTER_METRICS__TEXTFILE"] = str(prom)
    user.types("run", SAMPLES / "customers.csv")
    for words in (("run", SAMPLES / "customers.csv"), ("resume", "nowhere"), ("run", "x.csv", "--target", "nowhere")):
        assert user.types(*words).code in {2, 7}
        assert 'importer_last_run_exit_code{target="emulator"} 0.0' in prom.read_text()

    assert user.types("validate", user.has("empty.csv", "")).code == 6
    assert 'importer_last_run_exit_code{target="emulator"} 0.0' in prom.read_text()
    assert user.types("run", user.has("empty.csv", "")).code == 6
    assert 'importer_last_run_exit_code{target="emulator"} 6.0' in prom.read_text()
    assert 'importer_last_run_rows{state="read",target="emulator"} 200.0' in prom.read_text()
