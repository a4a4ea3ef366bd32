"""Nightly imports by Airflow 3 (with its standard provider). Copy to the folder of the DAGs.

Its workers have to share one workspace: the journal in it is the memory of what was imported.

The credentials come from the worker's environment (ROCKETKOR_API_KEY_FILE, ROCKETKOR_API_SECRET_FILE), not from here.
So does IMPORTER_KEYS, the folder of the key that signs the night's plans as their author ([approval] key in the
profile). Every worker has the same /etc/importer/approval.toml, readable for its account and not writable.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

WHERE = {
    "IMPORTER_CONFIG": "/etc/importer/nightly.toml",
    "IMPORTER_WORKSPACE": "/var/lib/importer/runs",
    "IMPORTER_TARGET": "live",
}

COMMON = {
    "start_date": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "catchup": False,  # a night that was missed needs no second pass: one takes all files that are there
    "max_active_runs": 1,
    "default_args": {"env": WHERE, "append_env": True, "do_xcom_push": False},
}

with DAG(dag_id="import_customers", schedule="0 22 * * *", dagrun_timeout=timedelta(hours=10), **COMMON) as nightly_dag:
    doctor = BashOperator(task_id="doctor", bash_command="importer doctor")
    nightly = BashOperator(
        task_id="nightly",
        bash_command="importer nightly /srv/customers/inbox --yes --quiet --log-format json",
        skip_on_exit_code=75,  # the window closed: the rest is for the next night
        trigger_rule="all_done",  # nightly reports its own errors, whatever the doctor found
    )
    doctor >> nightly

with DAG(dag_id="purge_old_imports", schedule="30 7 * * 0", dagrun_timeout=timedelta(hours=1), **COMMON) as purge_dag:
    BashOperator(task_id="purge", bash_command="importer purge --older-than 30d")
