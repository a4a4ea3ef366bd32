"""Read the DAGs of a file, and run one of them. Called with Airflow's own Python; prints JSON as the last line.

    python rehearsal.py FILE DAG CODE...

`importer` on the search path ends with the exit code in the file `CODE` beside it: the DAG runs once for each.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
from airflow.utils.db import initdb


def described(dag: Any) -> dict[str, Any]:
    """One DAG as Airflow understood it."""
    DagSerialization.to_dict(dag)  # against Airflow's own schema, as its scheduler does
    return {
        "schedule": str(dag.schedule),
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "start": dag.start_date.isoformat(),
        "tasks": {
            task.task_id: {
                "command": task.bash_command,
                "after": sorted(task.upstream_task_ids),
                "env": task.env,
                "skip": task.skip_on_exit_code,
            }
            for task in dag.tasks
        },
    }


def rehearsed(dag: Any, code: str) -> dict[str, str]:
    """How the tasks of a DAG end when the night ends with an exit code, and how the DAG does."""
    Path(shutil.which("importer") or "importer").with_name("CODE").write_text(code)
    run = dag.test()
    states = {one.task_id: str(one.state) for one in run.get_task_instances()}
    return {**states, "": str(run.state)}


def main() -> None:
    """Do both, and print what came of it."""
    file, name, *codes = sys.argv[1:]
    initdb()
    bag = DagBag(dag_folder=file)
    reported = {
        "errors": {Path(path).name: error for path, error in bag.import_errors.items()},
        "dags": {dag_id: described(dag) for dag_id, dag in bag.dags.items()},
        "runs": {code: rehearsed(bag.dags[name], code) for code in codes} if name in bag.dags else {},
    }
    print(json.dumps(reported))  # noqa: T201  # this is its answer


if __name__ == "__main__":
    main()
