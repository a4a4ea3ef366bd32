"""However many processes check a file, and however its rows are cut into batches: the same bytes come out."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.engines import ProcessPool
from importer.journal import workspace_secret
from importer.profile import Profile
from importer.results import Report
from importer.runs.check import check
from importer.runs.context import Context, Machine
from importer.runs.wiring import open_workspace
from tests.dask_cluster import DaskCluster

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data"
FILES = ("results", "rejects", "id_map", "jsonl")
_OF_THE_RUN = {"runs", "run_files", "integrity", "places"}
HEADER = "Customer ID,Type,First Name,Last Name,Email,Phone,Date of Birth,Street,Apartment,City,State,ZIP,Country,Notes"


def checked(
    source: Path, workspace: Path, *, processes: int, batch_rows: int = 4_096, duplicates: str = "reject", **more: str
) -> Report:
    chosen = {
        **{key.replace("__", "."): value for key, value in more.items()},
        "workspace": workspace,
        "source.processes": processes,
        "source.batch_rows": batch_rows,
        "results.formats": "csv,jsonl",
        "log.level": "error",
        "validation.duplicates": duplicates,
    }
    profile = Profile.load(options=chosen, environ={})
    return check(Context(profile, "validate", machine=Machine(create_pool=pool_of)), source)


def pool_of(processes: int) -> ProcessPool:
    """Even small files get workers, and wait for them."""
    return ProcessPool(processes, alone=1, patience_s=30)


def reported(report: Report) -> dict[str, Any]:
    """Everything that a dry run says, but when, where and under which name."""
    said = {key: report.as_json()[key] for key in ("counts", "issues", "changes", "idv", "mapping", "source_info")}
    run = report.run_id.encode()
    return {**said, **{kind: report.files[kind].read_bytes().replace(run, b"RUN") for kind in FILES}}


def journal_of(report: Report) -> dict[str, list[tuple[object, ...]]]:
    """What a dry run has in its journal, but when and under which name."""
    (path,) = report.files["results"].parent.glob("*.sqlite3")
    with closing(sqlite3.connect(path)) as journal:
        names = [name for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name for name in names if name not in _OF_THE_RUN and not name.startswith("sqlite_")}
        assert {"rows", "batches", "issues", "changes"} <= tables
        return {name: sorted(_lines(journal, name), key=repr) for name in tables}


def _lines(journal: sqlite3.Connection, table: str) -> Iterator[tuple[object, ...]]:
    """What a table holds, but the numbers of issues: how far reading was ahead of checking decides their order."""
    columns = [name for _, name, *_ in journal.execute(f"PRAGMA table_info({table})")]
    names = [name for name in columns if (table, name) != ("issues", "number")]
    yield from journal.execute(f"SELECT {', '.join(names)} FROM {table}")  # noqa: S608


def prepared(workspace: Path) -> Path:
    """A workspace with a secret of its own, which is the key of every hash in its journals."""
    with closing(open_workspace(workspace)):
        return workspace


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    """A file with every kind of dirt that a row can have."""
    path = tmp_path / "messy.csv"
    dice = random.Random(5)
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER.split(","))
        for number in range(3_000):
            rows.writerow(_messy(number, dice.choice, dice.random))
            if dice.random() < 0.002:
                file.write("\r\n")
    return path


def _messy(number: int, one_of: Callable[[Sequence[str]], str], chance: Callable[[], float]) -> list[str]:
    def rarely(share: float, usual: str, *others: str) -> str:
        return one_of(others) if chance() < share else usual

    row = [
        f"C-{number if chance() > 0.01 else number - 1}",
        rarely(0.02, one_of(("individual", "Individual")), "business", "?", ""),
        rarely(0.3, "Ada", "Zoë", " Bruno ", "Jean, Luc", 'O"Neil', "X1", "Ren\u200bée", ""),
        rarely(0.1, f"Abbott{chr(97 + number % 26)}", "Núñez", "de la Cruz", "Smith\nJones", "  "),
        rarely(0.3, f"p{number}@example.com", f"P{number}@EXAMPLE.com", "no email", "", "a@b", "same@example.com"),
        rarely(0.5, f"+1212555{number:04d}", "(212) 555-0100", "+44 20 7946 0958", "555", "212-555-0111 x12", "4E+09"),
        rarely(0.1, f"{1 + number % 12}/{1 + number % 28}/{1940 + number % 60}", "", "02/30/1990", "not", "1/5/1871"),
        rarely(0.05, f"{number} Oak Street", "PO Box 12", "", "x" * 60, '12 "A" Street'),
        "Apt 4, rear" if number % 7 == 0 else "",
        one_of(("New York", "Springfield", "St. John's")),
        rarely(0.2, "NY", "ny", "New York", "XX", ""),
        rarely(0.1, "10001", "1001", "ABC", ""),
        rarely(0.3, "US", "USA", "United States", "FR", "??"),
        "=1+1" if number % 50 == 0 else "",
    ]
    return row[:-2] if chance() < 0.003 else [*row, "more"] if chance() < 0.003 else row


@pytest.mark.parametrize("duplicates", ["reject", "first", "allow"])
@pytest.mark.slow
def test_several_processes_write_what_one_does(messy: Path, tmp_path: Path, duplicates: str) -> None:
    alone = checked(messy, tmp_path / "one", processes=1, duplicates=duplicates)
    several = checked(messy, tmp_path / "three", processes=3, batch_rows=50, duplicates=duplicates)
    assert reported(several) == reported(alone)
    assert json.loads(alone.files["report"].read_text())["counts"]["invalid"] > 100


@pytest.mark.parametrize(
    "sample",
    [
        "customers_messy.csv",
        "businesses.csv",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("customers.csv", "customers.xlsx")),
    ],
)
def test_the_samples_come_out_alike(sample: str, tmp_path: Path) -> None:
    alone = checked(SAMPLES / sample, tmp_path / "one", processes=1)
    assert reported(checked(SAMPLES / sample, tmp_path / "two", processes=2, batch_rows=7)) == reported(alone)


@pytest.mark.slow
def test_dates_that_only_a_late_row_decides_are_read_alike(tmp_path: Path) -> None:
    source = tmp_path / "late.csv"
    born = ["1980-03-04", *["3/4/1980"] * 60, "3/14/1980", *["1/2/1990"] * 20]
    lines = [f"L-{number},Ada,Abbott,p{number}@example.com,+12125550100,{date}" for number, date in enumerate(born)]
    source.write_text("ID,First Name,Last Name,Email,Phone,Date of Birth\n" + "\n".join(lines) + "\n")
    alone = checked(source, tmp_path / "one", processes=1)
    assert alone.changes["date_iso"] if "date_iso" in alone.changes else alone.counts["valid"] == len(born)
    assert reported(checked(source, tmp_path / "two", processes=2, batch_rows=5)) == reported(alone)


@pytest.mark.slow
def test_workers_of_dask_write_what_one_process_does(messy: Path, tmp_path: Path, dask_cluster: DaskCluster) -> None:
    workspace = prepared(tmp_path / "runs")
    dask_cluster.start(2, {"IMPORTER_SECRET": workspace_secret(workspace).hex()})
    alone = checked(messy, workspace, processes=1, batch_rows=100)
    there = checked(
        messy, workspace, processes=1, batch_rows=100, engine__kind="dask", engine__scheduler=dask_cluster.address
    )
    assert reported(there) == reported(alone)
    assert journal_of(there) == journal_of(alone)
    log = "".join(dask_cluster.log(name) for name in ("scheduler", "worker1", "worker2"))
    assert not [name for name in ("Abbott", "Bruno", "@example", "Compute Failed") if name in log]


@pytest.mark.slow
def test_any_number_of_workers_reads_any_file_as_one_process_does(
    messy: Path, tmp_path: Path, dask_cluster: DaskCluster
) -> None:
    workspace = prepared(tmp_path / "runs")
    environ = {"IMPORTER_SECRET": workspace_secret(workspace).hex()}
    with messy.open(encoding="utf-8", newline="") as file:
        rows = [row for _, row in zip(range(120), csv.reader(file), strict=False)]
    written = {encoding: tmp_path / f"{encoding}.csv" for encoding in ("utf-8-sig", "utf-16", "cp1252")}
    for encoding, path in written.items():
        with path.open("w", encoding=encoding, errors="replace", newline="") as file:
            csv.writer(file, lineterminator="\n" if encoding == "utf-16" else "\r\n").writerows(rows)
    dask_cluster.start(0)
    dask = {"engine__kind": "dask", "engine__scheduler": dask_cluster.address}
    for (workers, batch_rows), path in zip(((1, 2), (2, 50), (3, 7)), written.values(), strict=True):
        dask_cluster.start_worker(workers, environ)
        dask_cluster.wait_for_workers(workers)
        alone = checked(path, workspace, processes=1)
        assert reported(checked(path, workspace, processes=1, batch_rows=batch_rows, **dask)) == reported(alone)
