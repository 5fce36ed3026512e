"""The request path stands on NumPy alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from mlops_core.adapters.deployer.local import LocalDeployer
from mlops_core.adapters.online_store.sqlite import SQLiteOnlineStore
from mlops_core.adapters.trainer.sklearn import SklearnTrainer
from mlops_core.domain.candidates import LogisticRegression
from mlops_core.domain.release import Probes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_core.domain.release import Bundle
    from mlops_core.domain.usecase import UseCase

SCRIPT = Path(__file__).with_name("served_without_tables.py")


@pytest.mark.live
def test_the_server_predicts_where_no_table_library_can_be_imported(
    tmp_path: Path, use_case: UseCase, as_of: datetime, make_bundle: Callable[..., Bundle]
) -> None:
    """scikit-learn imports pandas where it finds it, to know a DataFrame; nothing here is one."""
    home = tmp_path / "home"
    table = pa.table({"id": [1], "orders": [3], "basket": [3.0]})
    SQLiteOnlineStore(home / "online.db").write(use_case.online_name, table, ["id"], as_of)
    rows = np.random.default_rng(1).normal(size=(200, 2))
    model = SklearnTrainer().fit(LogisticRegression(), rows, (rows[:, 0] > 0).astype(np.int8))
    folder = tmp_path / "fitted"
    folder.mkdir()
    model.save(folder)
    probes = Probes(rows=((0.0, 1.0),), expected=tuple(model.predict(np.array([[0.0, 1.0]])).tolist()))
    bundle = make_bundle(digest=model.digest(), model_folder=str(folder), probes=probes)
    deployer = LocalDeployer(home=home, trainer=SklearnTrainer())
    deployer.activate(deployer.prepare(bundle))

    words = [sys.executable, str(SCRIPT), str(home)]
    said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()  # noqa: S603 - ours

    expected = float(model.predict(np.array([[3.0, 3.0]]))[0])
    assert [line[:3] for line in said] == ["200", "200"]
    assert json.loads(said[0][4:])["outputs"][0]["data"] == [expected]
    assert json.loads(said[1][4:])["predictions"][0]["probability"] == expected
