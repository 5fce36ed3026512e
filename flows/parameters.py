"""A flow's parameters from one pydantic model: flat in the form, described, typed, bounded and checked."""

from __future__ import annotations

import functools
import inspect
import logging
import os
from keyword import iskeyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from prefect.context import FlowRunContext
from prefect.runtime import flow_run
from prefect.states import Failed
from pydantic import BaseModel, ConfigDict, Field, create_model

from flows.notices import blocks_of
from flows.tracebacks import spare_tracebacks
from mlops_core.errors import MlopsError
from mlops_core.pipeline import WORKERS
from mlops_core.settings import Settings
from mlops_core.validation import validated

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RunnerParameters", "typed_by", "with_runner"]

P = TypeVar("P", bound=BaseModel)
_BY_NAME = inspect.Parameter.KEYWORD_ONLY


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
    """The same parameters, then those of the task runner. Any: no type says that it is a subclass of both."""
    # Pydantic orders fields from the last base to the first
    return create_model(model.__name__, __base__=(RunnerParameters, model))


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
            spare_tracebacks()
            try:
                blocks_of(Settings.load().notify)  # what is wrong is told now, not at the end
                return body(validated(model, parameters))
            except MlopsError as error:
                return Failed(message=str(error), data=error)

        declared = [_parameter(model, name) for name in model.model_fields]
        described = [f"    {name}: {_text(model, name)}" for name in model.model_fields]
        function.__signature__ = _Declared(declared)  # type: ignore[attr-defined]  # any function takes it
        function.__doc__ = "\n".join([inspect.cleandoc(body.__doc__ or ""), "", "Args:", *described])
        return function

    return declare


class _Declared(inspect.Signature):
    """What a form is made of; for a run, also the names that it was given and that do not exist.

    Prefect refuses those before the function is called, with two lists of names, and so it does, on a worker
    with a crash, where one is missing. A misspelt or missing one in a schedule is to be answered as on a
    command line, so it has to come as far as `validated`.
    """

    def bind(self, /, *args: Any, **kwargs: Any) -> inspect.BoundArguments:
        """What was given, be it all that is wanted or not."""
        return self.bind_partial(*args, **kwargs)

    @property
    def declared(self) -> set[str]:
        """The names that exist."""
        return set(super().parameters)

    @property
    def parameters(self) -> MappingProxyType[str, inspect.Parameter]:
        known = super().parameters
        context = FlowRunContext.get()
        own = getattr(context.flow.fn, "__signature__", None) if context and context.flow else self
        if not isinstance(own, _Declared) or not own.declared <= known.keys():
            return known  # it is another flow that runs
        given = context.parameters or {} if context else _of_this_process(os.environ.get(_RUN, ""))
        more = [name for name in given if name not in known]
        made = [inspect.Parameter(_named(name, n), _BY_NAME, default=None) for n, name in enumerate(more)]
        return MappingProxyType({**known, **dict(zip(more, made, strict=True))})


_RUN = "PREFECT__FLOW_RUN_ID"
"""Where a worker says which run a process is for; Prefect looks at its parameters before it has a context."""


@functools.cache
def _of_this_process(run: str) -> dict[str, Any]:
    return dict(flow_run.parameters or {}) if run else {}


def _named(name: str, number: int) -> str:
    """What was misspelt may be no name in Python, such as "as-of"."""
    return name if name.isidentifier() and not iskeyword(name) else f"unknown_{number}"


def _parameter(model: type[BaseModel], name: str) -> inspect.Parameter:
    field = model.model_fields[name]
    default = field.get_default(call_default_factory=True)
    # Annotated needs something beside the type: None, which says nothing
    kind: Any = Annotated[(field.annotation, *field.metadata, None)]
    return inspect.Parameter(
        name,
        _BY_NAME,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=kind,
    )


def _text(model: type[BaseModel], name: str) -> str:
    return " ".join((model.model_fields[name].description or "").split())
