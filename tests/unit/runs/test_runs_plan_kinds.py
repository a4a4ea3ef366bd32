"""A file that is not the plan that a command takes: what it is, and which command takes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.core.commands import Commands
from importer.core.errors import PlanRefusedError
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.plans.kinds import read_plan, read_plan_of
from importer.runs.plans.plan_file import PlanFile
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.plans.update_plan import UpdatePlan
from importer.runs.undo_plan import UndoPlan
from tests.unit.runs.test_runs_import_plan import a_plan
from tests.unit.runs.test_runs_undo_plan import a_plan as an_undo


@pytest.fixture(autouse=True)
def _in_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(path: str, kind: type[PlanFile] | None = None) -> str:
    with pytest.raises(PlanRefusedError) as found:
        read_plan(Path(path)) if kind is None else read_plan_of(kind, Path(path), Commands())
    return str(found.value)


@pytest.mark.parametrize("kind", [ReturnPlan, UpdatePlan, UndoPlan])
def test_a_plan_of_an_import_is_taken_by_run_alone(kind: type[PlanFile]) -> None:
    a_plan().write(Path("plan.json"))

    said = refused("plan.json", kind)

    assert said == (
        f"'plan.json' is a plan of an import, not {kind.what}; nothing was sent."
        " `importer run --plan plan.json` takes it."
    )
    assert read_plan_of(ImportPlan, Path("plan.json"), Commands()) == a_plan()


@pytest.mark.parametrize(("action", "more"), [("suspend", ""), ("delete", " --delete")])
def test_a_plan_of_an_undo_is_taken_by_undo_of_its_run(action: str, more: str) -> None:
    plan = an_undo(action=action)
    plan.write(Path("plan.json"))

    said = refused("plan.json", ImportPlan)

    assert said.startswith("'plan.json' is a plan of an undo, not a plan of an import; nothing was sent.")
    assert f"`importer undo {plan.run_id} --apply plan.json{more}` takes it." in said


NAME_ONE = "Name the file of a plan, as it was shown when the plan was made."


def test_a_path_at_which_there_is_nothing_is_not_an_old_plan() -> None:
    assert refused("nope.json") == f"There is no plan 'nope.json': that file does not exist. {NAME_ONE}"
    Path("people.csv").write_text("a,b\n")
    assert refused("people.csv/x").startswith("There is no plan 'people.csv/x'")


def test_another_file_and_a_folder_are_no_plans() -> None:
    Path("people.csv").write_text("a,b\n")
    Path("folder").mkdir()

    assert refused("people.csv") == f"'people.csv' is not a plan. {NAME_ONE}"
    assert refused("folder") == f"'folder' is a folder, not a plan. {NAME_ONE}"
