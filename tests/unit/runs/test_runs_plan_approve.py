"""Several people sign one plan at the same moment: nobody's signature is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from importer.approval import new_key
from importer.runs.plans.approve import approve
from importer.runs.plans.kinds import read_plan
from tests.unit.runs.test_runs_import_plan import a_plan

_PEOPLE = [f"person{number}" for number in range(8)]


def test_everybody_who_signs_at_the_same_moment_has_signed(tmp_path: Path) -> None:
    plan, path = a_plan(), tmp_path / "plan.json"
    plan.write(path)
    signers = [new_key(tmp_path / "keys", name).unlock() for name in _PEOPLE]
    together = Barrier(len(signers))

    def sign(number: int) -> None:
        together.wait()
        approve(path, signers[number], plan.sha256, now=1.0)

    with ThreadPoolExecutor(len(signers)) as people:
        list(people.map(sign, range(len(signers))))

    assert sorted(one.name for one in read_plan(path).signatures) == _PEOPLE
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["plan.json"]
