"""A version is made again from its lineage: identical, or what differs is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mlops_core.adapters.registry.memory import MemoryModelRegistry
from mlops_core.domain.digest import file_digests
from mlops_core.domain.usecase import UseCase
from mlops_core.errors import BadInput, DefinitionError, IntegrityError
from mlops_core.reproduction import Difference, reproduce, told
from tests.reproduction.shop import shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mlops_core.domain.registry import ModelVersion
    from mlops_core.reproduction import Reproduction
    from tests.reproduction.shop import Store

CACHED = ("locks/", "code.json")  # empty; and what `provenance.Code` may write at any time


def by_part(found: Reproduction, part: str) -> list[Difference]:
    """The differences of one part."""
    return [one for one in found.differences if one.part == part]


def of_lineage(version: ModelVersion, **changed: Any) -> ModelVersion:
    """The version with another lineage."""
    return version.model_copy(update={"lineage": version.lineage.model_copy(update=changed)})


def kept(store: Store) -> dict[str, str]:
    """Every file of the state folder."""
    return {name: one for name, one in file_digests(store.home).items() if not name.startswith(CACHED)}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("shops", ["told_late", "told_nothing"])
def test_versions_are_the_same_after_late_and_corrected_events(
    shops: str, number: int, request: pytest.FixtureRequest
) -> None:
    """Each is made of the events that were there when it was trained."""
    store: Store = request.getfixturevalue(shops)
    version = store.versions[number - 1]
    found = reproduce(version, store.engines)
    assert found.verdict == "identical"
    assert [(one.then, one.now) for one in found.digests] == [
        (version.lineage.training_set, version.lineage.training_set),
        (version.lineage.model, version.lineage.model),
        (version.digest, version.digest),
    ]
    assert [(one.how, one.number) for one in found.sources] == [("stored", number)]
    assert found.probes == 0
    assert found.evaluation is not None
    assert found.evaluation.rows > 100
    assert (found.evaluation.largest, found.evaluation.calls_changed) == (0, 0)
    assert {one.part for one in found.differences} <= {"commit"}


def test_the_two_versions_are_of_different_rows(told_late: Store) -> None:
    """Or the test above would show nothing."""
    first, second = told_late.versions
    assert first.lineage.training_set != second.lineage.training_set
    assert first.lineage.model != second.lineage.model


def test_what_a_run_made_is_not_used_and_nothing_is_written(told_late: Store) -> None:
    """Not to the state folder, so not to the journal either; nor to registry and ledger."""
    before, entries = kept(told_late), told_late.engines.ledger.entries("shop")
    reproduce(told_late.versions[0], told_late.engines)
    assert kept(told_late) == before
    assert not list(told_late.home.glob(".scratch-*"))
    assert told_late.engines.ledger.entries("shop") == entries


def test_stored_outputs_are_not_what_is_compared(told_late: Store, copy_of: Callable[[Store], Store]) -> None:
    """Without any of them, the answer is the same."""
    store = copy_of(told_late)
    for file in store.home.glob("stages/*/*/*.parquet"):
        file.unlink()
    assert reproduce(store.versions[0], store.engines).verdict == "identical"


def test_a_changed_parameter_is_named(told_late: Store) -> None:
    """By its digest in the lineage; and by name, where today's definitions have it as it was."""
    version = told_late.versions[0]
    use_case = shop()
    weaker = use_case.candidates[0].model_copy(update={"regularisation": 0.5})
    changed = use_case.model_copy(update={"candidates": (weaker,)}).model_dump_json()
    version = version.model_copy(update={"use_case": changed})
    found = reproduce(version, told_late.engines, today=use_case)
    assert found.verdict == "different"
    assert by_part(found, "parameters") == [
        Difference(part="parameters", name="logistic.regularisation", then="0.1", now="0.5")
    ]
    assert [one.equal for one in found.digests] == [True, False, False]
    assert found.evaluation is not None
    assert found.evaluation.largest >= found.evaluation.mean > 1e-9
    assert found.probes > 1e-9
    (unnamed,) = by_part(reproduce(version, told_late.engines), "parameters")
    assert (unnamed.name, unnamed.then) == ("logistic", version.lineage.candidate)


def test_changed_definitions_are_told_with_the_rows_and_columns(told_late: Store) -> None:
    """The original rows are still in the state folder, so they are compared one by one."""
    version = told_late.versions[0].model_copy(update={"use_case": shop(window=60).model_dump_json()})
    found = reproduce(version, told_late.engines)
    assert found.verdict == "different"
    assert [one.name for one in by_part(found, "definitions")] == ["digest"]
    assert found.rows is not None
    assert found.rows.columns.keys() == {"orders_recent"}
    assert found.rows.changed == found.rows.columns["orders_recent"] > 0
    assert (found.rows.gone, found.rows.new) == (0, 0)
    assert f"orders_recent ({found.rows.changed:,})" in told(found)


def test_today_s_definitions_are_information(told_late: Store) -> None:
    """The ones kept with the version are used."""
    found = reproduce(told_late.versions[0], told_late.engines, today=shop(window=60))
    assert found.verdict == "identical"
    (one,) = found.today
    assert (one.name, one.then, one.now) == ("views.recent.features.orders_recent.window", "P30D", "P60D")
    assert one.name in told(found)


def test_changed_code_is_named_by_its_definitions(told_late: Store) -> None:
    """What changed, what is new and what is gone; many are counted."""
    version = told_late.versions[0]
    names = sorted(version.code)
    code = {**version.code, names[0]: "0" * 16, "mlops_core.old:gone": "1" * 16}
    del code[names[1]]
    found = reproduce(version.model_copy(update={"code": code}), told_late.engines)
    assert {(one.name, one.then is None, one.now is None) for one in by_part(found, "code")} == {
        (names[0], False, False),
        (names[1], True, False),
        ("mlops_core.old:gone", False, True),
    }
    said = told(found)
    for sentence in (f"{names[0]} changed", f"{names[1]} is new", "mlops_core.old:gone is gone"):
        assert sentence in said
    none = reproduce(version.model_copy(update={"code": dict.fromkeys(names, "0")}), told_late.engines)
    assert len(by_part(none, "code")) == len(names)
    had = f"it had {len(names):,} definitions"
    assert f"and {len(names) - 10:,} more; {had} (--json)" in told(none)


def test_changed_libraries_are_named(told_late: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with the version of then and of now."""
    then = told_late.versions[0].lineage.libraries
    now = {**then, "scikit-learn": "9.9", "new": "1.0"}
    monkeypatch.setattr("mlops_core.reproduction.differences.libraries", lambda: now)
    found = reproduce(told_late.versions[0], told_late.engines)
    assert by_part(found, "libraries") == [
        Difference(part="libraries", name="new", then=None, now="1.0"),
        Difference(part="libraries", name="scikit-learn", then=then["scikit-learn"], now="9.9"),
    ]
    assert found.verdict == "identical"
    assert "which made no difference" in told(found)


def test_another_environment_is_named(told_late: Store) -> None:
    """Interpreter, BLAS, threads: whatever the trainer says of itself."""
    version = told_late.versions[0]
    environment = {**version.lineage.environment, "python": "3.9.0"}
    found = reproduce(of_lineage(version, environment=environment), told_late.engines)
    (one,) = by_part(found, "environment")
    assert (one.name, one.then, one.now) == ("python", "3.9.0", version.lineage.environment["python"])


def test_digests_that_differ_with_the_same_predictions_are_equivalent(told_late: Store) -> None:
    """Nothing that the model says has moved; and it is not the same all the same."""
    found = reproduce(of_lineage(told_late.versions[0], model="0" * 64), told_late.engines)
    assert found.verdict == "equivalent"
    assert [one.equal for one in found.digests] == [True, False, True]


def test_another_threshold_changes_calls(told_late: Store) -> None:
    """The model is the same, what is called positive is not."""
    version = told_late.versions[0].model_copy(update={"threshold": 0.0})
    found = reproduce(version, told_late.engines)
    assert found.verdict == "different"
    assert all(one.equal for one in found.digests)
    assert found.evaluation is not None
    assert (found.evaluation.calls_changed or 0) > 0


def test_probes_that_are_not_met_make_it_different(told_late: Store) -> None:
    """Whatever the digests say."""
    version = told_late.versions[0]
    probes = version.probes.model_copy(update={"expected": tuple(1 - one for one in version.probes.expected)})
    found = reproduce(version.model_copy(update={"probes": probes}), told_late.engines)
    assert found.verdict == "different"
    assert found.probes > 1e-9


def test_a_version_from_before_all_was_kept_is_made_again(told_late: Store) -> None:
    """Its fitted state is the registered model's own; what its lineage does not tell is said."""
    version = of_lineage(told_late.versions[0], model=None, environment={}, libraries={})
    found = reproduce(version.model_copy(update={"code": {}}), told_late.engines)
    assert found.verdict == "identical"
    assert any("the definitions in its code and the environment of its fit" in note for note in found.notes)


def test_damaged_events_are_refused_by_name(told_late: Store, copy_of: Callable[[Store], Store]) -> None:
    """One byte is enough."""
    store = copy_of(told_late)
    (name,) = {one.uri for one in _history(store) if one.number == 1}
    file = store.home / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(IntegrityError, match=rf"orders: the stored events {name} are not what was stored"):
        reproduce(store.versions[0], store.engines)
    assert reproduce(store.versions[1], store.engines).verdict == "identical"


def test_what_was_made_can_be_kept(told_late: Store, tmp_path: Path) -> None:
    """In a folder where nothing old can be found."""
    reproduce(told_late.versions[0], told_late.engines, keep=tmp_path / "kept")
    assert list((tmp_path / "kept").glob("stages/model_training.logistic/*/model/model.skops"))
    with pytest.raises(BadInput, match="is not empty"):
        reproduce(told_late.versions[0], told_late.engines, keep=tmp_path / "kept")


class Unreadable(MemoryModelRegistry):
    """The same versions, whose files this machine's libraries cannot load."""

    def fetch(self, version: ModelVersion, into: Path) -> None:
        super().fetch(version, into)
        (into / "model.skops").write_bytes(b"of another library")


def test_a_registered_model_that_cannot_be_loaded_is_compared_by_digests(
    told_late: Store, copy_of: Callable[[Store], Store]
) -> None:
    """They and the probes prove what they can; predictions on all rows cannot be compared."""
    store, registry = copy_of(told_late), Unreadable()
    vars(registry).update(vars(told_late.engines.registry))
    store.engines.registry = registry
    found = reproduce(store.versions[0], store.engines)
    assert (found.verdict, found.evaluation) == ("identical", None)
    assert "not compared, the registered model cannot be loaded here" in told(found)
    other = of_lineage(store.versions[0], model="0" * 64)
    assert reproduce(other, store.engines).verdict == "different"


def test_definitions_of_other_software_lead_to_the_commit(told_late: Store) -> None:
    """What this code cannot read, the code of then can."""
    version = told_late.versions[0].model_copy(update={"use_case": '{"name": "shop"}'})
    with pytest.raises(DefinitionError, match=r"version 1 of shop cannot be read .* --at-commit"):
        reproduce(version, told_late.engines)
    stranger = told_late.versions[0].model_copy(update={"candidate": "forest"})
    with pytest.raises(DefinitionError, match="'forest', which is no candidate"):
        reproduce(stranger, told_late.engines)


def test_the_report_survives_json(told_late: Store) -> None:
    """Another process reads it back as it was."""
    found = reproduce(told_late.versions[0], told_late.engines, today=shop(window=60))
    assert type(found).model_validate_json(found.model_dump_json()) == found


def _history(store: Store) -> Any:
    from mlops_core.history import EventHistory

    use_case = UseCase.stored(store.versions[0].use_case, "the shop")
    return EventHistory(use_case, store.engines).versions(use_case.sources[0])
