"""The stages together: delivered once, repeated exactly, promoted only through the gate, leaking nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from mlops_core.dag import RunFailed
from mlops_core.errors import DataError, MlopsError, Superseded
from mlops_core.promotion import roll_back
from mlops_core.stages.gate import gate

if TYPE_CHECKING:
    from mlops_core.domain.release import Release
    from mlops_core.domain.usecase import UseCase
    from tests.stages.shop import Shop

Make = Callable[..., pa.Table]


def before(table: pa.Table, day: date) -> pa.Table:
    """The rows up to and including a day."""
    return table.filter(pc.less_equal(table["bought_on"], pa.scalar(day)))


def test_a_first_good_model_is_delivered(shop: Shop) -> None:
    """It passes the floors, is released, proved, and stands in Production."""
    context = shop.run()
    assert context["gate"].decision.verdict == "passed"
    assert context["deployment"].status == "deployed"
    assert context["deployment"].stage == "Production"
    assert shop.stages() == {1: "Production"}
    release = shop.engines.deployer.current("shop")
    assert release is not None
    assert release.digest == context["model_registry"].digest


def test_the_same_inputs_give_the_same_receipts(
    shop: Shop, receipts_of: Callable[[Any], dict[str, Any]]
) -> None:
    """Again means again: no new version, no new release, and every receipt equal."""
    first = receipts_of(shop.run())
    assert receipts_of(shop.run()) == first
    assert shop.stages() == {1: "Production"}


def test_online_values_are_the_features_at_the_last_day(shop: Shop, shop_use_case: UseCase) -> None:
    """What inference reads is what a training row of that instant would hold."""
    context = shop.run()
    events = shop.engines.workspace.path(context["feature_store"].events["purchases"].ref.uri)
    spine = shop.engines.offline.spine(shop_use_case, events, [context["feature_store"].as_of])
    rows = shop.engines.offline.features(shop_use_case, {"purchases": events}, spine).to_pylist()
    online = shop.engines.online.read(shop_use_case.online_name, [row["customer_id"] for row in rows])
    assert [dict(row or {}) for row in online] == [
        {name: row[name] for name in shop_use_case.feature_names} for row in rows
    ]


@pytest.mark.parametrize("as_of", [date(2021, 3, 31), date(2021, 5, 17)])
def test_nothing_after_as_of_is_seen(shop: Shop, make_purchases: Make, as_of: date) -> None:
    """A run as of a day gives what it would have given on that day, from the data of that day."""
    table = make_purchases()
    seen = shop.run(table, as_of)
    then = shop.run(before(table, as_of), as_of)
    assert seen["training_set"].ref.digest == then["training_set"].ref.digest
    assert seen["feature_store"].online_digest == then["feature_store"].online_digest
    assert seen["model_registry"].digest == then["model_registry"].digest


def test_an_as_of_after_the_last_event_does_not_make_quiet_days(shop: Shop) -> None:
    """No data is not the same as no purchases: labels past the data stay immature."""
    known, later = shop.run(), shop.run(as_of=date(2022, 6, 30))
    assert later["training_set"].ref.digest == known["training_set"].ref.digest


def test_a_quiet_night_retrains_nothing(shop: Shop, make_purchases: Make) -> None:
    """New events that close no label leave training set, model and version; only online values move."""
    table = make_purchases()
    first = shop.run(before(table, date(2021, 6, 5)))
    second = shop.run(before(table, date(2021, 6, 12)))
    assert second["feature_store"].as_of > first["feature_store"].as_of
    assert second["training_set"].ref.digest == first["training_set"].ref.digest
    assert second["deployment"] == first["deployment"]
    assert shop.stages() == {1: "Production"}


def test_an_older_run_does_not_take_online_values_back(shop: Shop, shop_use_case: UseCase) -> None:
    """Looking at a past day must not make inference forget the present."""
    newest = shop.run()["feature_store"]
    shop.run(as_of=date(2021, 3, 31))
    state = shop.engines.online.state(shop_use_case.online_name)
    assert state is not None
    assert (state.as_of, state.digest) == (newest.as_of, newest.online_digest)


def test_a_rejected_model_is_kept_with_its_reasons_and_not_deployed(
    shop: Shop, shop_use_case: UseCase
) -> None:
    """The run completes; the version stays in Staging; nothing is served."""
    strict = shop_use_case.model_copy(update={"gate": shop_use_case.gate.model_copy(update={"floor": 0.999})})
    context = shop.run(use_case=strict)
    assert context["deployment"].status == "rejected"
    assert shop.stages() == {1: "Staging"}
    assert shop.engines.deployer.current("shop") is None
    decision = shop.standing.decisions[1]
    assert "below the floor 0.999" in " ".join(decision.reasons)


def test_a_rejected_model_may_pass_under_another_policy(shop: Shop, shop_use_case: UseCase) -> None:
    """The decision belongs to the policy; the same version is then promoted."""
    strict = shop_use_case.model_copy(update={"gate": shop_use_case.gate.model_copy(update={"floor": 0.999})})
    shop.run(use_case=strict)
    assert shop.run()["deployment"].status == "deployed"
    assert shop.stages() == {1: "Production"}


def test_a_new_model_that_is_not_worse_replaces_the_champion(shop: Shop, make_purchases: Make) -> None:
    """Compared on the same rows; the version before is archived and named."""
    table = make_purchases()
    shop.run(before(table, date(2021, 3, 31)))
    context = shop.run(table)
    champion = next(check for check in context["gate"].decision.checks if check.name == "champion")
    assert champion.outcome == "passed"
    assert "version 1 in Production" in champion.sentence
    assert context["deployment"].previous == 1
    assert shop.stages() == {1: "Archived", 2: "Production"}


def test_a_worse_model_does_not_replace_the_champion(
    shop: Shop, make_purchases: Make, shop_use_case: UseCase
) -> None:
    """A challenger that only counts all orders loses to one that knows recency, and says by how much."""
    table = make_purchases()
    shop.run(before(table, date(2021, 3, 31)))
    view = shop_use_case.views[0]
    poorer = shop_use_case.model_copy(
        update={
            "views": (view.model_copy(update={"features": view.features[:1]}),),
            "gate": shop_use_case.gate.model_copy(update={"floor": 0.0}),
        }
    )
    context = shop.run(table, use_case=poorer)
    champion = next(check for check in context["gate"].decision.checks if check.name == "champion")
    assert champion.outcome == "failed"
    assert champion.figures["gain"] < 0
    assert shop.stages() == {1: "Production", 2: "Staging"}
    release = shop.engines.deployer.current("shop")
    assert release is not None
    assert release.version == 1


def test_a_decision_against_a_champion_that_has_changed_is_not_carried_out(
    shop: Shop, make_purchases: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody goes back to another version between the gate and the deployment: compare again."""
    table = make_purchases()
    shop.run(before(table, date(2021, 3, 31)))
    shop.run(before(table, date(2021, 4, 30)))

    def meddle(*receipts: Any, engines: Any) -> Any:
        done = gate(*receipts, engines=engines)
        roll_back(engines, "shop", to=1, actor="eva", reason="complaints")
        return done

    monkeypatch.setattr("mlops_core.pipeline.gate", meddle)
    with pytest.raises(RunFailed) as caught:
        shop.run(table)
    assert isinstance(caught.value.__cause__, Superseded)
    assert "version 2 in Production, but version 1 is there now" in str(caught.value.__cause__)
    assert shop.stages() == {1: "Production", 2: "Archived", 3: "Staging"}


def test_an_interrupted_promotion_is_finished_by_the_next_run(shop: Shop) -> None:
    """In Production and not yet served: running again serves it, and nothing else."""
    activate = shop.engines.deployer.activate

    def fail(release: Release) -> None:
        raise MlopsError(f"no connection to activate version {release.version}")

    shop.engines.deployer.activate = fail  # type: ignore[method-assign]  # what a broken target does
    with pytest.raises(RunFailed, match="no connection"):
        shop.run()
    assert shop.stages() == {1: "Production"}
    assert shop.engines.deployer.current("shop") is None
    shop.engines.deployer.activate = activate  # type: ignore[method-assign]  # mended
    assert shop.run()["deployment"].status == "deployed"
    assert shop.engines.deployer.current("shop") is not None
    assert [entry.event.kind for entry in shop.standing.entries].count("promoted") == 1


def test_every_step_of_a_delivery_is_in_the_ledger(shop: Shop) -> None:
    """And once only, however often it is delivered."""
    receipts = [shop.run() for _ in range(2)]
    kinds = [entry.event.kind for entry in shop.standing.entries]
    assert kinds == ["registered", "decided", "promoted", "deployed"]
    assert {entry.actor for entry in shop.standing.entries} == {"ana"}
    assert shop.standing.decisions[1] == receipts[0]["gate"].decision
    assert shop.engines.registry.differences(shop.standing) == []


def test_too_short_a_history_is_refused(shop: Shop, make_purchases: Make) -> None:
    """Nothing is trained, nothing registered, and the message says how much is needed."""
    with pytest.raises(RunFailed) as caught:
        shop.run(before(make_purchases(), date(2020, 4, 30)))
    assert isinstance(caught.value.__cause__, DataError)
    assert "too little history" in str(caught.value.__cause__)
    assert shop.stages() == {}


def test_a_class_that_never_occurs_is_refused(shop: Shop) -> None:
    """Customers who buy every day never churn: there is nothing to learn."""
    start = date(2020, 1, 1).toordinal()
    events = [(one, date.fromordinal(start + day)) for one in range(3) for day in range(500)]
    table = pa.table({"customer_id": [e[0] for e in events], "bought_on": [e[1] for e in events]})
    with pytest.raises(RunFailed) as caught:
        shop.run(table)
    assert "nothing can be learnt or judged from one class" in str(caught.value.__cause__)
