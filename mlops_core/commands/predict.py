"""`mlops predict USE_CASE --id …`: ask the release that serves, without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_core.commands.ids import add_ids, keys_of_words
from mlops_core.commands.output import print_json, print_table
from mlops_core.errors import NotFound

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops_core.domain.outputs import OutputName
    from mlops_core.serving.predictor import Prediction

__all__ = ["add"]


def add(verbs: Any, words: Sequence[str]) -> None:  # noqa: ARG001 - every verb is added the same way
    """Add the verb."""
    parser = verbs.add_parser("predict", help="predict by id, from online features")
    parser.add_argument("use_case", metavar="USE_CASE")
    add_ids(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_predict)


def _predict(arguments: argparse.Namespace) -> int:
    from mlops_core.domain.metrics import task_of
    from mlops_core.domain.outputs import OUTPUTS
    from mlops_core.serving.predictor import Predictor
    from mlops_core.settings import Settings
    from mlops_core.usecases import find
    from mlops_core.wiring import ConfiguredEngines

    use_case = find(arguments.use_case)
    name, columns = use_case.name, use_case.entity.keys
    engines = ConfiguredEngines(Settings.load())
    release = engines.releases.current(name)
    if release is None:
        raise NotFound(f"nothing of {name} is released yet: deliver it with `mlops run {name}`")
    predictor = Predictor(release=release, model=engines.releases.load(release), store=engines.online)
    predictions = predictor.predict_ids(keys_of_words(arguments.ids, columns))
    if arguments.json:
        print_json([_facts(one) for one in predictions])
    else:
        names = tuple(OUTPUTS[task_of(release.threshold)])
        heads = ["id", *names, "version", "features as of"]
        rows = [
            [
                str(one.id),
                *(_cell(name, one.outputs[name]) for name in names),
                str(one.version),
                f"{one.features_as_of:%Y-%m-%d}",
            ]
            for one in predictions
        ]
        print_table(heads, rows)
    return 0


def _facts(one: Prediction) -> dict[str, Any]:
    told = one.model_dump(mode="json")
    return {"id": told["id"], **one.outputs, **{key: told[key] for key in ("version", "features_as_of")}}


def _cell(name: OutputName, value: float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4f}" if name == "probability" else f"{value:,.6g}"
