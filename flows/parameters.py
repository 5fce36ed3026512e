"""A flow's parameters from one pydantic model: flat in the form, described, typed, bounded and checked."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from prefect.states import Failed
from pydantic import BaseModel, ConfigDict, Field, create_model

from mlops_core.errors import MlopsError
from mlops_core.parameters import validated
from mlops_core.pipeline import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RunnerParameters", "typed_by", "with_runner"]

P = TypeVar("P", bound=BaseModel)


class RunnerParameters(BaseModel):
    """Where a flow runs the tasks of its DAG."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task_runner: Literal["threads", "dask", "ray"] = Field(
        default="threads",
        description="Where tasks run: threads of this process, Dask or Ray (the clusters that the settings "
        "MLOPS_DASK_ADDRESS and MLOPS_RAY_ADDRESS name, else one on this machine).",
    )
    workers: int = Field(
        default=WORKERS,
        ge=1,
        le=1024,
        description="Tasks at the same time: threads, or processes of a cluster on this machine. "
        "A cluster elsewhere has its own number.",
    )


def with_runner(model: type[BaseModel]) -> Any:
    """The same parameters and those of the task runner. Any: no type says that it is a subclass of both."""
    return create_model(model.__name__, __base__=(model, RunnerParameters))


def typed_by(model: type[P]) -> Callable[[Callable[[P], Any]], Callable[..., Any]]:
    """Make a function of one checked model a function that declares the model's fields as its own.

    Prefect reads types, bounds and defaults from the signature and descriptions from the docstring, so its
    form shows a field for each. What the function is called with is checked by the model, with the sentence
    that the command line has; an error of ours, then and later, becomes the state Failed with its sentence.
    """

    def declare(body: Callable[[P], Any]) -> Callable[..., Any]:
        @functools.wraps(body)
        def function(**parameters: Any) -> Any:
            logging.getLogger("mlops_core").setLevel(logging.INFO)
            try:
                return body(validated(model, parameters))
            except MlopsError as error:
                return Failed(message=str(error), data=error)

        declared = [_parameter(model, name) for name in model.model_fields]
        described = [f"    {name}: {_text(model, name)}" for name in model.model_fields]
        function.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]  # any function takes it
        function.__doc__ = "\n".join([inspect.cleandoc(body.__doc__ or ""), "", "Args:", *described])
        return function

    return declare


def _parameter(model: type[BaseModel], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    default = field.get_default(call_default_factory=True)
    # Annotated needs something beside the type: None, which says nothing
    kind: Any = Annotated[(field.annotation, *field.metadata, None)]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=kind,
    )


def _text(model: type[BaseModel], name: str) -> str:
    return " ".join((model.model_fields[name].description or "").split())
