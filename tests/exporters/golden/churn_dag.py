"""Pipeline "churn" for Airflow 3.3 and later, made by

    mlops export churn --to airflow

Change the use case and export again, not this file. Every task is a command of `mlops` in a process of its
own, so Airflow's environment needs nothing but Airflow. Each worker needs

- `mlops` on its PATH (and its settings, such as MLOPS_LEDGER, in its environment),
- MLOPS_HOME: the absolute path of the state folder, which all workers share,
- optionally RUNS_FOLDER: where receipts go, a folder that all workers share or a URL such as
  s3://bucket/runs. Default: airflow in the state folder. A run's folder there is dag_id/run_id.

Said otherwise here:

- One run at a time (max_active_runs): a run that waits for a person holds up those after it.
- Who runs it: the user who triggered the run, unless its form names another.
- Retries: the command tells by exit code 75 whether another attempt is worth it. Airflow's scheduler begins
  it when it next looks, so waits may be a few seconds longer. A command whose worker was lost cannot tell:
  that is tried again as well.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param, RetryDecision, RetryPolicy

# Every command begins with this: it runs in an empty folder, where a relative path would lead nowhere.
BEGIN = """\
if [[ $MLOPS_HOME != /* ]]; then
    echo "MLOPS_HOME: expected the absolute path of the workers' state folder, not '$MLOPS_HOME'"
    exit 2
fi
RUN="${RUNS_FOLDER:-$MLOPS_HOME/airflow}/$RUN"
"""
# Templates stand here alone, never in a command: what a form was told is data, not part of a shell's words.
ENV = {
    "RUN": "{{ dag.dag_id }}/{{ run_id }}",
    "PARAMETERS": "{{ dict(params, actor=params.actor or dag_run.triggering_user_name) | tojson }}",
}


@dataclass(frozen=True)
class AsTheCommandSays(RetryPolicy):
    """Another attempt only where the command ends with exit code 75; any other failure is final."""

    delays: tuple[float, ...]  # seconds after the first, second, … attempt; the last holds for all others too
    jitter: float = 0.0  # the largest part by which a wait is shortened at random

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Any = None
    ) -> RetryDecision:
        """BashOperator tells the exit code in its message alone."""
        if not str(exception).endswith("exit code 75."):
            return RetryDecision.fail("not a failure that another attempt could mend")
        failed = try_number - max_tries + context["task"].retries  # attempts since the task was last cleared
        seconds = self.delays[min(max(failed, 1), len(self.delays)) - 1]
        return RetryDecision.retry(timedelta(seconds=seconds * (1 - self.jitter * random.random())))


with DAG(
    dag_id="churn",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["mlops"],
    params={
        "data": Param(
            None,
            type=["null", "string"],
            description="Events: a Parquet or CSV file, a folder of them or a glob. Default: what the use case names.",
        ),
        "as_of": Param(
            None,
            type=["null", "string"],
            format="date",
            description="Last day the run may know of, like 1998-06-30; labels must have closed by then. Default: the day of the last event.",
        ),
        "floor": Param(
            None,
            type=["null", "number"],
            description="Floor of the gate's metric for this run. Default: the use case's.",
        ),
        "fail_on_rejection": Param(
            False,
            type=["null", "boolean"],
            description="End with exit code 3 (in Prefect: as failed) when the gate, or a person, says no.",
        ),
        "actor": Param(
            None,
            type=["null", "string"],
            description="Who runs this, for the ledger. Default: MLOPS_ACTOR, or the user of the process.",
        ),
    },
    default_args={"env": ENV, "append_env": True, "output_processor": json.loads, "retries": 0},
):
    feature_store = BashOperator(
        task_id="feature_store",
        bash_command=BEGIN
        + 'mlops task run churn feature_store --run "$RUN" --parameters "$PARAMETERS" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    training_set = BashOperator(
        task_id="training_set",
        bash_command=BEGIN + 'mlops task run churn training_set --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    model_training_logistic = BashOperator(
        task_id="model_training.logistic",
        bash_command=BEGIN + 'mlops task run churn model_training.logistic --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    model_training_boosting = BashOperator(
        task_id="model_training.boosting",
        bash_command=BEGIN + 'mlops task run churn model_training.boosting --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    model_evaluation = BashOperator(
        task_id="model_evaluation",
        bash_command=BEGIN + 'mlops task run churn model_evaluation --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    model_registry = BashOperator(
        task_id="model_registry",
        bash_command=BEGIN + 'mlops task run churn model_registry --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    gate = BashOperator(
        task_id="gate",
        bash_command=BEGIN + 'mlops task run churn gate --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    approval = BashOperator(
        task_id="approval",
        bash_command=BEGIN + 'mlops task run churn approval --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    feature_verification = BashOperator(
        task_id="feature_verification",
        bash_command=BEGIN + 'mlops task run churn feature_verification --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )
    deployment = BashOperator(
        task_id="deployment",
        bash_command=BEGIN + 'mlops task run churn deployment --run "$RUN" --json',
        retries=3,
        retry_policy=AsTheCommandSays(delays=(1.0, 2.0, 4.0), jitter=0.2),
    )

    feature_store >> training_set
    training_set >> model_training_logistic
    training_set >> model_training_boosting
    [training_set, model_training_logistic, model_training_boosting] >> model_evaluation
    [feature_store, training_set, model_evaluation] >> model_registry
    [feature_store, training_set, model_evaluation, model_registry] >> gate
    [model_registry, gate] >> approval
    feature_store >> feature_verification
    [feature_verification, model_registry, gate, approval] >> deployment
