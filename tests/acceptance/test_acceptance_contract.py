"""Whatever is sent has been read by the customer's type, and pandas has carried it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from importer.core.contract import Notes, Policy
from importer.customers.specs import CustomerType
from importer.customers.types import customer_adapter
from tests.acceptance.conftest import User, people

SAMPLES = Path(__file__).parents[2] / "sample_data"
ASK = """
import sys
from importer.cli.entry import run
code = run(sys.argv[1:])
print("pandas" in sys.modules, "importer.customers.types" in sys.modules, code)
"""


def test_a_dry_run_loads_pandas_and_the_types_of_customers(user: User) -> None:
    source = user.has("people.csv", people(3))
    done = subprocess.run(
        [sys.executable, "-c", ASK, "validate", str(source), "--quiet"],
        cwd=user.home, env=user.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split()[-3:] == ["True", "True", "0"]


def test_a_list_of_runs_loads_neither_pandas_nor_arrow(user: User) -> None:
    user.types("validate", user.has("people.csv", people(3)))
    code = "import sys; from importer.cli.entry import run; run(['runs']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=user.home, env=user.environ, capture_output=True, text=True, check=True
    )
    assert "people.csv" in done.stdout
    assert not {"pandas", "pyarrow", "numpy"} & set(done.stdout.split())


@pytest.mark.parametrize("name", ["customers_messy.csv", "businesses.csv"])
def test_every_body_of_a_run_is_a_customer_to_whom_nothing_more_is_to_be_done(user: User, name: str) -> None:
    ran = user.types("run", SAMPLES / name, "--quiet", "--json").json
    policy = Policy()
    rows = [line["_row"] for line in user.reads(ran["files"]["results"]) if line["_status"] == "created"][:10]
    assert rows
    for row in rows:
        body = user.types("explain", "last", row, "--show-values", "--json").json["body"]
        notes = Notes()
        adapter = customer_adapter(CustomerType(body["type"]), policy)
        assert adapter.validate_python(body, context=notes) == body
        assert not notes.changes
