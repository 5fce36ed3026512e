"""Callers of the fake endpoints: who answers them, and what CloudWatch makes of the answers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.sagemaker.account import ACCOUNT, Refused, alarms, shadows_of, variants_of
from tests.sagemaker.endpoints import Endpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.sagemaker.endpoints import Endpoint

__all__ = ["FakeSageMaker"]

_INVOCATIONS = "/invocations"


class FakeSageMaker(Endpoints):
    """Endpoints that answer.

    `broken` are versions whose server answers with 500, `liar` is one that answers otherwise. `answers` is
    what callers got, by version, `errors` what failed and `shadowed` what only shadows were asked.
    """

    def reset(self) -> None:
        """Nobody ever called."""
        super().reset()
        self.broken: set[int] = set()
        self.liar: tuple[int, str] | None = None
        self.answers: Counter[int] = Counter()
        self.errors: Counter[int] = Counter()
        self.shadowed: Counter[int] = Counter()
        self._figures: Counter[tuple[str, str, str]] = Counter()
        self._requests = 0

    def update(self, told: Mapping[str, Any]) -> str:
        """UpdateEndpoint; another of CloudWatch's minutes begins."""
        self._figures.clear()
        return super().update(told)

    def invoke(self, name: str, variant: str | None, body: Any) -> tuple[int, str, Any]:
        """InvokeEndpoint: status, the variant that answered, and its answer."""
        endpoint = self.known(name)
        if endpoint.status in ("Creating", "Failed"):
            raise Refused("ValidationError", f"Endpoint {name} of account {ACCOUNT} not found.")
        self._requests += 1
        draw = self._requests * 37 % 100
        config = endpoint.config
        if variant is None and endpoint.wanted and endpoint.baking and draw < endpoint.canary:
            config = endpoint.wanted
        chosen = self._chosen(endpoint, self.config(config), variant, draw)
        if variant is None:
            self._copy(endpoint, body, draw)
        status, answer = self._answered(config, chosen, body)
        return status, chosen["VariantName"], answer

    def _chosen(self, endpoint: Endpoint, config: Any, variant: str | None, draw: int) -> Any:
        """The variant that is named, or whose turn it is."""
        production = config.production_variants
        if variant is not None:
            open_to_all = variants_of(config) if self.shadows_answer else production
            for one in open_to_all:
                if one["VariantName"] == variant:
                    return one
            raise Refused("ValidationError", f"Variant {variant} not found for Endpoint {endpoint.name}.")
        of_endpoint = endpoint.weights if config is self.config(endpoint.config) else {}
        weights = [of_endpoint.get(one["VariantName"], one["InitialVariantWeight"]) for one in production]
        point = draw / 100 * sum(weights)
        for one, weight in zip(reversed(production), reversed(weights), strict=True):
            if point < weight:
                return one
            point -= weight
        return production[0]

    def _copy(self, endpoint: Endpoint, body: Any, draw: int) -> None:
        """Send a shadow its share of the requests; its answers go nowhere."""
        for shadow in shadows_of(self.config(endpoint.config)):
            if draw < 100 * endpoint.weights[shadow["VariantName"]] / endpoint.weights["serving"]:
                server = self.containers[shadow["ModelName"]]
                self.shadowed[server.release.version] += server.request("POST", _INVOCATIONS, body)[0] == 200

    def _answered(self, config: str, variant: Any, body: Any) -> tuple[int, Any]:
        server = self.containers[variant["ModelName"]]
        version = server.release.version
        if version in self.broken:
            self.errors[version] += 1
            self._judge(config, variant["VariantName"], failed=True)
            return 500, {"error": "the model cannot be used"}
        status, answer = server.request("POST", _INVOCATIONS, body)
        self.answers[version] += 1
        self._judge(config, variant["VariantName"], failed=status >= 500)
        if status == 200 and self.liar == (version, server.release.digest):
            answer["outputs"][0]["data"] = [0.123 for _ in answer["outputs"][0]["data"]]
        return status, answer

    def _judge(self, config: str, variant: str, *, failed: bool) -> None:
        """What CloudWatch does: set off the alarms on the rate of 5xx answers of those servers."""
        self._figures[config, variant, "all"] += 1
        self._figures[config, variant, "failed"] += failed
        rate = self._figures[config, variant, "failed"] / self._figures[config, variant, "all"]
        for alarm in alarms().values():
            watched = {one.name: one.value for one in alarm.dimensions}
            of_this = (watched["EndpointConfigName"], watched["VariantName"]) == (config, variant)
            if of_this and alarm.metric_name == "Invocation5XXErrors" and rate > alarm.threshold:
                alarm.update_state(f"Threshold Crossed: {rate:.2g} > {alarm.threshold}", "{}", "ALARM")
