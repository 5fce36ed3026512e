from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mlops_core.adapters.feature_store.canonical import write_events
from mlops_core.adapters.feature_store.feast_repository import write_feast_data
from mlops_core.exporters.feast import to_feast
from mlops_core.point_in_time import historical_features
from mlops_core.usecases.churn import CHURN

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlops_core.adapters.feature_store.memory import MemoryOfflineStore
    from mlops_core.domain.usecase import UseCase

pytestmark = pytest.mark.live

READ = Path(__file__).with_name("read_repository.py")


@pytest.fixture
def export(tmp_path: Path, oracle: MemoryOfflineStore) -> Callable[..., Path]:
    """Writes a use case as a repository with its data and returns the folder."""

    def write(use_case: UseCase, events: dict[str, Path], spine: pa.Table) -> Path:
        folder = tmp_path / "repository"
        (folder / "data").mkdir(parents=True)
        types = write_feast_data(use_case, oracle, events, spine, folder / "data")
        repository = to_feast(use_case, types=types)
        (folder / "feature_repo.py").write_text(repository.definitions, encoding="utf-8")
        (folder / "feature_store.yaml").write_text(repository.configuration, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def read(feast_python: Path) -> Callable[..., dict[str, Any]]:
    """Reads a repository as its users do: historical and online values of a service, by row."""

    def run(repository: Path, service: str, spine: pa.Table) -> dict[str, Any]:
        pq.write_table(spine, repository / "spine.parquet")
        done = subprocess.run(  # noqa: S603 - a script of ours, no shell
            [str(feast_python), "-W", "ignore", str(READ), service],
            cwd=repository,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return run


def test_feast_applies_the_churn_use_case(
    export: Callable[..., Path], feast: Callable[..., str], oracle: MemoryOfflineStore, tmp_path: Path
) -> None:
    # A tenth of the history: the oracle looks at every row.
    source = CHURN.sources[0]
    table = pq.read_table(source.path)
    some = table.filter(pc.less(table["customer_id"], pc.quantile(table["customer_id"], 0.02)[0]))
    path = tmp_path / "purchases.parquet"
    oracle.ingest(CHURN, source, some, path)
    moments = pc.max(pq.read_table(path)[source.event_timestamp]).as_py()
    spine = oracle.spine(CHURN, path, [moments - timedelta(days=90), moments])
    repository = export(CHURN, {"purchases": path}, spine)
    assert "Created feature view purchase_history" in feast(repository, "apply")
    assert "purchase_history" in feast(repository, "feature-views", "list")


def test_feast_reads_the_exported_shop_as_we_do(
    export: Callable[..., Path],
    feast: Callable[..., str],
    read: Callable[..., dict[str, Any]],
    oracle: MemoryOfflineStore,
    make_shop: Callable[..., Any],
) -> None:
    shop = make_shop({"delay": timedelta(hours=1)}, ttl=timedelta(hours=25))
    spine = shop.spine.drop_null()  # Feast's frames of keys know no null
    repository = export(shop.use_case, shop.events, spine)
    said = feast(repository, "apply")
    assert all(f"Created feature view {name}" in said for name in ("class", "scored", "happened"))
    assert "Created on demand feature view trend_on_demand" in said
    assert "Created feature service model_v1" in said

    found = read(repository, "model_v1", spine)["historical"]
    model = shop.use_case.model_copy(update={"service": "model"})
    expected = historical_features(model, oracle, shop.events, spine)
    assert found == {name: expected[name].to_pylist() for name in shop.use_case.services[0].features}


def test_keys_of_unknown_type_are_inferred_from_the_data(
    export: Callable[..., Path], feast: Callable[..., str], make_shop: Callable[..., Any]
) -> None:
    shop = make_shop({"columns": None})
    repository = export(shop.use_case, shop.events, shop.spine)
    untyped = to_feast(shop.use_case).definitions
    assert "value_type" not in untyped
    (repository / "feature_repo.py").write_text(untyped, encoding="utf-8")
    assert "Created entity shop" in feast(repository, "apply")


def test_the_data_of_an_empty_source_is_a_file_with_its_columns(
    export: Callable[..., Path], make_shop: Callable[..., Any]
) -> None:
    shop = make_shop()
    for path in shop.events.values():
        write_events(pq.read_table(path).slice(0, 0), path)
    repository = export(shop.use_case, shop.events, shop.spine)
    names = pq.read_schema(repository / "data" / "scored.parquet").names
    assert names == ["shop", "event_timestamp", "created_timestamp", "a", "big"]
