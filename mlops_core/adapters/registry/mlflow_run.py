"""A submission as an MLflow run with its logged model: what is written before a version points at it.

An attempt that ends early leaves a run that is RUNNING and, perhaps, a logged model. The run carries the
digest as a tag, so the next attempt to register it can tell what is left of the last one, and sweeps it.
"""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

from mlops_core.adapters.registry.mlflow_errors import absent_is_fine, insisting
from mlops_core.adapters.registry.mlflow_package import FILES_FOLDER, write_package
from mlops_core.adapters.registry.submission_tags import CANDIDATE, DIGEST, DOCUMENTS
from mlops_core.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path

    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Experiment, LoggedModel, Run

    from mlops_core.adapters.registry.shelf import Shelf
    from mlops_core.domain.registry import Submission

__all__ = ["discard_run", "experiment_for", "finish_run", "log_submission", "sweep"]

WRITER = "mlops.writer"
"""The tag of a run that tells whose attempt it is, where several hosts share a store."""

_BATCH = 100  # parameters that MLflow takes at once
_DEAD_SECONDS = 24 * 60 * 60  # nobody takes a day to log a model
_DIGEST_LENGTH = 36  # characters that MLflow keeps of a data set's digest


def experiment_for(client: MlflowClient, name: str, artifacts: str | None) -> str:
    """Id of the experiment of a name; a new one puts its files at the URI `artifacts`, if one is given.

    MLflow keeps that URI for good. When it is not ours (the state folder was moved or copied, or somebody
    else's folder shares the database), we have an experiment of our own, or files would go astray.
    """
    experiment = _experiment(client, name, artifacts)
    if artifacts is not None and experiment.artifact_location != artifacts:
        experiment = _experiment(client, f"{name} in {artifacts}", artifacts)
    if experiment.lifecycle_stage != "active":
        raise BadInput(
            f"MLflow experiment {name!r} (id {experiment.experiment_id}) was deleted: bring it back with "
            f"`mlflow experiments restore --experiment-id {experiment.experiment_id}`, or purge it."
        )
    return str(experiment.experiment_id)


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> Experiment:
    from mlflow.exceptions import MlflowException

    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        try:
            experiment = client.get_experiment(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException as error:
            experiment = client.get_experiment_by_name(name)  # made on another host in the meantime
            if error.error_code != "RESOURCE_ALREADY_EXISTS" or experiment is None:
                raise
    return experiment


def sweep(client: MlflowClient, experiment_id: str, digest: str, *, writer: str | None, kept: Shelf) -> None:
    """End the runs of attempts at this digest that died, and delete their logged models.

    `writer` names us where other hosts write too: their attempts are left alone until they are a day old.
    Runs of versions on the shelf `kept` stay.
    """
    versions = {record.run_id for record in (*kept.records, *kept.surplus)}
    unfinished = f"tags.`{DIGEST}` = '{digest}' and attributes.status = 'RUNNING'"
    long_ago = (time.time() - _DEAD_SECONDS) * 1000
    for run in client.search_runs([experiment_id], unfinished):
        ours = writer is None or run.data.tags.get(WRITER) == writer or run.info.start_time < long_ago
        if ours and run.info.run_id not in versions:
            discard_run(client, run.info.run_id)


def discard_run(client: MlflowClient, run_id: str) -> None:
    """End a run that no version is to be made of, and delete what was logged as its model."""
    with absent_is_fine():
        run = client.get_run(run_id)
        for model in _models(client, run):
            with absent_is_fine():
                client.delete_logged_model(model.model_id)
        if _is_running(run):
            client.set_terminated(run_id, "KILLED")


def finish_run(client: MlflowClient, name: str, number: int, run_id: str) -> None:
    """End the run that a version was made of, its logged model naming the version."""
    linked = json.dumps([{"name": name, "version": number}])
    with absent_is_fine():
        run = client.get_run(run_id)
        if _is_running(run):
            for model in _models(client, run):
                client.set_logged_model_tags(model.model_id, {"mlflow.modelVersions": linked})
            client.set_terminated(run_id, "FINISHED")


def _is_running(run: Run) -> bool:
    return bool(run.info.status == "RUNNING" and run.info.lifecycle_stage == "active")


def _models(client: MlflowClient, run: Run) -> list[LoggedModel]:
    mine = f"source_run_id = '{run.info.run_id}'"
    return list(client.search_logged_models([run.info.experiment_id], mine))


def log_submission(
    client: MlflowClient, experiment_id: str, submission: Submission, workspace: Path, writer: str | None
) -> LoggedModel:
    """Log run, data sets, model and report; the run stays RUNNING until a version was made of it.

    The folder `workspace` is ours while we hold the store's lock; what is in it goes.
    """
    run = client.create_run(experiment_id, run_name=submission.candidate, tags=_run_tags(submission, writer))
    run_id = run.info.run_id
    _log_inputs(client, run_id, submission)
    model = client.create_logged_model(
        experiment_id,
        name=submission.candidate,
        source_run_id=run_id,
        tags={DIGEST: submission.digest, CANDIDATE: submission.candidate},
        params=submission.parameters,
    )
    _log_outputs(client, run_id, model.model_id, submission)
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    write_package(workspace, model, submission.feature_names)
    documents = workspace / FILES_FOLDER / DOCUMENTS
    documents.mkdir(parents=True)
    for document in submission.documents:
        shutil.copy(document, documents)
    client.log_model_artifacts(model.model_id, str(workspace))
    client.log_model_artifacts(model.model_id, submission.folder, artifact_path=FILES_FOLDER)
    shutil.rmtree(workspace)
    return client.finalize_logged_model(model.model_id, "READY")


def _log_inputs(client: MlflowClient, run_id: str, submission: Submission) -> None:
    from mlflow.entities import Param

    parameters = [Param(key, value) for key, value in submission.parameters.items()]
    for start in range(0, len(parameters), _BATCH):
        client.log_batch(run_id, params=parameters[start : start + _BATCH])
    insisting(lambda: client.log_inputs(run_id, _datasets(submission)))
    for document in submission.documents:  # where people look for it in MLflow's pages
        client.log_artifact(run_id, document, artifact_path="report")


def _log_outputs(client: MlflowClient, run_id: str, model_id: str, submission: Submission) -> None:
    from mlflow.entities import LoggedModelOutput, Metric

    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])
    now, digest = int(time.time() * 1000), submission.lineage.training_set[:_DIGEST_LENGTH]
    data = {"dataset_name": "training_set", "dataset_digest": digest}
    metrics = [
        Metric(key, value, now, 0, model_id=model_id, run_id=run_id, **data)
        for key, value in submission.metrics.items()
    ]
    client.log_batch(run_id, metrics=metrics)


def _run_tags(submission: Submission, writer: str | None) -> dict[str, str]:
    lineage = submission.lineage
    tags = {
        DIGEST: submission.digest,
        CANDIDATE: submission.candidate,
        "mlops.training_set": lineage.training_set,
        "mlops.as_of": lineage.as_of.isoformat(),
        "mlops.code": lineage.code,
        "mlflow.source.name": "mlops",
        "mlflow.source.type": "LOCAL",
    }
    known = {WRITER: writer, "mlflow.source.git.commit": lineage.git_commit}
    return tags | {tag: value for tag, value in known.items() if value is not None}


def _datasets(submission: Submission) -> list[DatasetInput]:
    """The training set and each source's events, by our digests: MLflow's own cover 10,000 rows at most."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = {"training_set": submission.lineage.training_set, **submission.lineage.data}
    return [
        DatasetInput(
            Dataset(
                name=name,
                digest=digest[:_DIGEST_LENGTH],
                source_type="code",
                source=json.dumps({"tags": {"sha256": digest}}),
            ),
            [
                InputTag("mlflow.data.context", "training" if name == "training_set" else "events"),
                InputTag("sha256", digest),
            ],
        )
        for name, digest in data.items()
    ]
