"""What a delivery leaves to look at: its account, tables and plots, and where to look further."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from flows.account import account, metric_rows
from flows.plots import plots
from mlops_core.adapters.reporter.html import HtmlReporter
from mlops_core.domain.figures import Figure, Figures
from mlops_core.domain.gates import Approval
from mlops_core.places import Places
from mlops_core.question import question
from mlops_core.settings import Settings
from mlops_core.summary import outcome_of, summarise
from mlops_core.workspace import Workspace
from tests.stages.shop import SHOP, MemoryEngines, Shop, purchases

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from mlops_core.dag import Context

SVG = '<svg role="img" viewBox="0 0 400 330"><path class="line chosen" d="M0 0L1 1"/></svg>'


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Context, Context]:
    """A first delivery, and one on more customers that is compared with it."""
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(folder, MemoryEngines(Workspace(folder / "state")))
    return shop.run(), shop.run(purchases(customers=200))


def places(tmp_path: Path, **settings: Any) -> Places:
    """Those of version 2."""
    return Places("shop", 2, "shops:SHOP", Settings(home=tmp_path, **settings))


def told(context: Context, tmp_path: Path) -> str:
    """The account of a delivery."""
    outcome = outcome_of(context, datetime(2020, 1, 1, tzinfo=UTC))
    summary = summarise(context, outcome, tmp_path, known_as="shops:SHOP")
    return account(context, outcome, places(tmp_path), summary)


def test_the_verdict_comes_first_and_the_commands_last(runs: tuple[Context, Context], tmp_path: Path) -> None:
    text = told(runs[0], tmp_path)
    assert text.startswith("# shop version 1 is delivered.")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings == ["The gate: passed", "Where to look", "How to go on", "As the terminal shows it"]
    assert "- `mlops serve shops:SHOP`" in text
    assert "- **replaces:** nothing: it is the first" in text


def test_a_release_names_its_evidence(runs: tuple[Context, Context], tmp_path: Path) -> None:
    """As a link, a path and a command."""
    text = told(runs[0], tmp_path)
    release = runs[0]["deployment"].release
    evidence = tmp_path / release / "documents" / "evidence.html"
    assert f"[evidence.html]({evidence.as_uri()}) in `{evidence.parent}`" in text
    assert "`mlops evidence shops:SHOP@2`" in text


def test_without_a_champion_metrics_stand_alone(runs: tuple[Context, Context]) -> None:
    rows = metric_rows(runs[0]["model_evaluation"], runs[0]["gate"].decision)
    assert {tuple(row) for row in rows} == {("metric", "value", "interval")}


def test_a_champion_stands_beside_its_challenger(runs: tuple[Context, Context]) -> None:
    """With the figure it has on the same rows; what the gate did not compare stays empty."""
    decision = runs[1]["gate"].decision
    rows = {row["metric"]: row for row in metric_rows(runs[1]["model_evaluation"], decision)}
    gains = {check.name: check.figures["gain"] for check in decision.checks if "gain" in check.figures}
    better = float(rows["roc_auc"]["value"]) - float(rows["roc_auc"]["version 1"])
    assert better == pytest.approx(gains["champion"], abs=1.1e-4)
    less = float(rows["brier"]["version 1"]) - float(rows["brier"]["value"])
    assert less == pytest.approx(gains["scoring rule"], abs=1.1e-4)
    assert rows["log_loss"]["version 1"] == ""


def test_a_version_on_an_mlflow_server_has_a_link(tmp_path: Path) -> None:
    """Whatever password stands in the address."""
    _, text = places(tmp_path, tracking_uri="https://ann:secret@mlflow.example:8443/team/").version()
    assert "(https://mlflow.example:8443/team/#/models/shop/versions/2)" in text
    assert "secret" not in text
    assert "`mlops models show shops:SHOP@2`" in text


@pytest.mark.parametrize("uri", [None, "sqlite:////srv/mlflow.db", "postgresql://ann:secret@db/mlflow"])
def test_a_version_elsewhere_has_a_command(tmp_path: Path, uri: str | None) -> None:
    assert places(tmp_path, tracking_uri=uri).version() == ("version", "`mlops models show shops:SHOP@2`")


def test_plots_lie_in_the_text(tmp_path: Path) -> None:
    """Each a whole SVG document, with its style and a background of its own."""
    figure = Figure(title="Ranking", svg=SVG, caption="Far from chance.")
    (tmp_path / "figures.json").write_text(Figures(figures=(figure,)).model_dump_json())
    (text,) = plots(HtmlReporter(), tmp_path / "report.html")
    assert text.startswith("### Ranking\n\n![Ranking](data:image/svg+xml;base64,")
    assert text.endswith("\n\nFar from chance.")
    (encoded,) = re.findall(r"base64,([^)]*)\)", text)
    document = ET.fromstring(base64.b64decode(encoded))  # noqa: S314 - our own drawing
    assert (document.tag, document.get("width")) == ("{http://www.w3.org/2000/svg}svg", "400")
    style = document.findtext("{http://www.w3.org/2000/svg}style") or ""
    assert "svg .chosen {" in style
    assert "--chosen:" in style


def test_a_report_without_figures_has_no_plots(tmp_path: Path) -> None:
    """One that an earlier version of this software made, or on another machine."""
    assert list(plots(HtmlReporter(), tmp_path / "report.html")) == []
    (tmp_path / "figures.json").write_text('{"pictures": []}')
    assert list(plots(HtmlReporter(), tmp_path / "report.html")) == []


def test_a_question_says_what_would_be_gained(tmp_path: Path) -> None:
    """Gains over the champion before the checks; the pack by the command that makes it."""
    asking = SHOP.model_copy(update={"gate": SHOP.gate.model_copy(update={"approval": Approval()})})
    shop = Shop(tmp_path, MemoryEngines(Workspace(tmp_path / "state")))
    shop.run()
    shop.run(purchases(customers=200), use_case=asking)
    standing, version = shop.standing, shop.engines.registry.versions("shop")[1]
    decision = standing.decisions[2]
    text = question(version, decision, standing.requests[2], places(tmp_path), "ann may not")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    assert headings[:3] == [
        "May shop version 2 go to Production?",
        "Against version 1, on the same rows",
        "The gate: passed",
    ]
    gain = next(check.figures["gain"] for check in decision.checks if check.name == "champion")
    assert f"{gain:+.4f} better" in text
    assert "- **evidence:** `mlops evidence shops:SHOP@2` makes it" in text
    assert text.startswith("**An answer was not taken:** ann may not")
