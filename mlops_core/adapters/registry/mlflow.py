"""Models in MLflow: its model registry, with runs and logged models behind the versions.

Looking at a local SQLite store never imports MLflow, and writing to it does not when nothing has to change:
so a pipeline that runs again on the same data is done in milliseconds.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mlops_core.adapters.registry.mlflow_errors import insisting, translated
from mlops_core.adapters.registry.mlflow_location import StoreLocation
from mlops_core.adapters.registry.mlflow_package import FILES_FOLDER, MODEL_FILE
from mlops_core.adapters.registry.mlflow_probe import probe_shelf
from mlops_core.adapters.registry.mlflow_run import experiment_for, log_submission, sweep
from mlops_core.adapters.registry.mlflow_schema import is_fresh
from mlops_core.adapters.registry.mlflow_shelf import apply_change, read_shelf
from mlops_core.adapters.registry.mlflow_store import MlflowStore
from mlops_core.adapters.registry.model_files import check_empty, copy_verified, registered_files
from mlops_core.adapters.registry.shelf import Shelf
from mlops_core.adapters.registry.stage_changes import check_origin, finishing, following, unlike
from mlops_core.adapters.registry.submission_tags import submission_tags
from mlops_core.errors import BadInput, IntegrityError, MlopsError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlflow import MlflowClient

    from mlops_core.adapters.registry.changes import AnyChange
    from mlops_core.adapters.registry.shelf import Record
    from mlops_core.domain.registry import ModelVersion, Submission
    from mlops_core.domain.standing import Standing

__all__ = ["MlflowModelRegistry"]


class MlflowModelRegistry:
    """The port `ModelRegistry` over MLflow.

    `tracking_uri` names a server or a database; None means SQLite and artifacts below `home`/mlflow.
    `patience` is how many seconds to wait for a SQLite database that another program has locked. Raises
    `BadInput` for a URI of an unknown kind; nothing is opened before it is used.
    """

    def __init__(self, *, tracking_uri: str | None, home: Path, patience: float = 10.0) -> None:
        self._location = StoreLocation.of(tracking_uri, home)
        self._store = MlflowStore(location=self._location, patience=patience)

    def register(self, submission: Submission) -> ModelVersion:
        """Log the model with run, metrics and report, and make a version of it."""
        _check(submission)
        tags = submission_tags(submission)
        shelf = self._shelf(submission.name)
        known = shelf.with_digest(submission.digest)
        if known is not None and not finishing(shelf) and not self._location.is_shared:
            return shelf.version(known)  # elsewhere an attempt of ours may be left that another host outran
        with self._store.writing() as client:
            shelf = read_shelf(client, submission.name)
            self._create(client, submission, tags, shelf)
            shelf = read_shelf(client, submission.name)
            shelf = _applied(client, shelf, finishing(shelf))
            return shelf.version(_registered(shelf, submission))

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions of a name that were registered by us; those made by hand in MLflow are passed over."""
        return self._shelf(name).versions()

    def fetch(self, version: ModelVersion, into: Path) -> None:
        """Copy the version's files, each compared with its digest of registration."""
        shelf = self._shelf(version.name)
        record = shelf.numbered(version.number)
        if shelf.version(record).digest != version.digest:
            raise IntegrityError(
                f"version {version.number} of model {version.name!r} is registered under digest "
                f"{shelf.version(record).digest}, not {version.digest}: it is of another registry."
            )
        check_empty(into)
        files = registered_files(record)
        source = urlsplit(record.source)
        if source.scheme == "file":
            with translated(self._location):
                copy_verified(files, self._package(Path(unquote(source.path))) / FILES_FOLDER, into)
        else:
            self._download(f"{record.source}/{FILES_FOLDER}", files, into)

    def differences(self, standing: Standing) -> list[str]:
        """Compare aliases and tags, those of people's making as well."""
        return unlike(self._shelf(standing.name), standing)

    def follow(self, standing: Standing, *, take_over: bool = False) -> list[str]:
        """Set aliases and tags that differ, and finish registrations that were interrupted."""
        shelf = self._shelf(standing.name)
        if not take_over:
            check_origin(shelf, standing)
        if not following(shelf, standing):
            return unlike(shelf, standing)
        with self._store.writing() as client:
            shelf = read_shelf(client, standing.name)  # again: now nobody else on this host changes anything
            if not take_over:
                check_origin(shelf, standing)
            _applied(client, shelf, following(shelf, standing))
            return unlike(shelf, standing)

    def _shelf(self, name: str) -> Shelf:
        database = self._location.database
        with translated(self._location):
            if database is not None:
                if is_fresh(database):
                    return Shelf(name=name)
                shelf = probe_shelf(database, name, patience=self._store.patience)
                if shelf is not None:
                    return shelf
        with self._store.reading() as client:
            return read_shelf(client, name)

    def _create(
        self, client: MlflowClient, submission: Submission, tags: dict[str, str], shelf: Shelf
    ) -> None:
        """Log everything, then create the version that makes it count, its tags in the same call.

        Where there is a version already, only attempts of ours that died are cleared away.
        """
        writer, known = self._store.writer(), shelf.with_digest(submission.digest)
        try:
            experiment_id = experiment_for(client, submission.name, self._location.artifacts)
        except BadInput:  # it was deleted, which is of no matter to a model that is there
            if known is None:
                raise
            return
        sweep(client, experiment_id, submission.digest, writer=writer, kept=shelf)
        if known is not None:
            return
        workspace = self._location.folder / "staging"
        try:
            model = log_submission(client, experiment_id, submission, workspace, writer)
            _ensure_name(client, submission.name)
        except Exception:
            with suppress(Exception):  # the first error counts; the next attempt sweeps as well
                sweep(client, experiment_id, submission.digest, writer=writer, kept=shelf)
            raise
        client.create_model_version(  # may succeed and yet raise, over a network: no sweep
            submission.name,
            source=model.artifact_location,  # `models:/<id>` would be looked up in MLflow's global store
            run_id=model.source_run_id,
            model_id=model.model_id,
            tags=tags,
            description=_description(submission),
        )

    def _package(self, path: Path) -> Path:
        """The folder of a logged model, also after the state folder that `path` was in has been moved."""
        if self._location.artifacts is None or path.exists():
            return path
        root = Path(unquote(urlsplit(self._location.artifacts).path))
        return root.joinpath(*path.parts[-3:])  # models/<id>/artifacts

    def _download(self, uri: str, files: Mapping[str, str], into: Path) -> None:
        with self._store.reading(), TemporaryDirectory(prefix="mlops-fetch-") as folder:
            from mlflow.artifacts import download_artifacts

            path = download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=self._location.uri)
            copy_verified(files, Path(path), into)


def _check(submission: Submission) -> None:
    unfit = sorted({"'", "/", ":", "\\"} & set(submission.name))
    if unfit or not submission.name.strip():
        what = f"leave out {' '.join(unfit)}" if unfit else "it is blank"
        raise BadInput(f"MLflow cannot register the model name {submission.name!r}: {what}.")
    model = Path(submission.folder) / MODEL_FILE
    if not model.is_file():
        raise NotFound(f"model {submission.name!r} cannot be registered: there is no {model}.")


def _applied(client: MlflowClient, shelf: Shelf, changes: Sequence[AnyChange]) -> Shelf:
    for change in changes:
        insisting(partial(apply_change, client, shelf.name, change))
        shelf = shelf.after(change)
    return shelf


def _registered(shelf: Shelf, submission: Submission) -> Record:
    record = shelf.with_digest(submission.digest)
    if record is None:
        raise MlopsError(f"MLflow made a version of {shelf.name!r} and does not list it: run the same again.")
    return record


def _ensure_name(client: MlflowClient, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _description(submission: Submission) -> str:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(submission.metrics.items()))
    return f"{submission.candidate} as of {submission.lineage.as_of:%Y-%m-%d}: {metrics or 'no metrics'}"
