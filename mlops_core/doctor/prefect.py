"""Prefect's server, asked over HTTP: its own client takes a second to import, and need not be whole."""

from __future__ import annotations

import base64
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from mlops_core.doctor.finding import Finding, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DEFAULT", "api_url", "server"]

DEFAULT = "http://127.0.0.1:4200/api"
_STARTUP = "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"
_SHORT = 60.0  # seconds; a first start, which makes the database, takes some ten
_OURS = "mlops-core"  # the tag of our deployments: prefect.yaml


def server(environ: Mapping[str, str]) -> list[Finding]:
    """Whether the API answers, what it is, and whether somebody is there to do what is deployed."""
    url = api_url(environ)
    try:
        with httpx.Client(base_url=f"{url or DEFAULT}/", headers=_headers(environ), timeout=2) as client:
            answer = client.get("admin/version").raise_for_status()
            return [_versions(url or DEFAULT, answer.json()), *_work(client)]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        if url is None:
            return [_own_server(environ)]
        remedy = "start it (prefect server start), or mend PREFECT_API_URL; mlops run needs none"
        return [problem("prefect", f"no Prefect server answers at {url}: {error}", remedy)]


def api_url(environ: Mapping[str, str]) -> str | None:
    """Where Prefect's client would look: its variable, else the profile in use; None where neither says."""
    named = environ.get("PREFECT_API_URL")
    if named:
        return named.rstrip("/")
    home = Path(environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    profiles = _toml(Path(environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml"))
    active = environ.get("PREFECT_PROFILE") or profiles.get("active")
    found = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(found).rstrip("/") if found else None


def _own_server(environ: Mapping[str, str]) -> Finding:
    says = f"{version('prefect')}; no server runs: a flow starts one of its own, and ends it"
    told = environ.get(_STARTUP, "")
    if told.replace(".", "", 1).isdigit() and float(told) < _SHORT:
        return note("prefect", f"{says}; {_STARTUP} gives it {told} s", f"unset {_STARTUP}, or give it 120")
    return ok("prefect", says)


def _versions(url: str, theirs: Any) -> Finding:
    mine = version("prefect")
    if str(theirs).split(".")[:2] != mine.split(".")[:2]:
        says = f"the server at {url} is {theirs}, the client {mine}"
        return note("prefect", says, "let both be of one version: pip install 'prefect==…' on either side")
    return ok("prefect", f"the server at {url} answers: {theirs}, the client is {mine}")


def _work(client: httpx.Client) -> list[Finding]:
    """Deployments of ours, and whether a worker of their pools is alive."""
    asked = {"deployments": {"tags": {"all_": [_OURS]}}}
    deployed = client.post("deployments/filter", json=asked).raise_for_status().json()
    if not deployed:
        remedy = (
            "first prefect work-pool create mlops-process --type process, then prefect --no-prompt deploy "
            "--all in the project's folder, when you want schedules"
        )
        return [note("deployments", "none of ours", remedy)]
    pools = sorted({one["work_pool_name"] for one in deployed if one.get("work_pool_name")})
    found = [ok("deployments", f"{len(deployed)}, in {', '.join(pools) or 'no work pool'}")]
    for pool in pools:
        workers = client.post(f"work_pools/{pool}/workers/filter", json={}).raise_for_status().json()
        if not any(one["status"] == "ONLINE" for one in workers):
            says = f"no worker of the work pool {pool} is alive: its runs wait"
            remedy = f"start one: prefect worker start --pool {pool}"
            found.append(problem("workers", says, remedy))
        else:
            found.append(ok("workers", f"{pool}: {sum(one['status'] == 'ONLINE' for one in workers)} alive"))
    return found


def _headers(environ: Mapping[str, str]) -> dict[str, str]:
    if environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {environ['PREFECT_API_KEY']}"}
    if environ.get("PREFECT_API_AUTH_STRING"):
        word = base64.b64encode(environ["PREFECT_API_AUTH_STRING"].encode()).decode()
        return {"Authorization": f"Basic {word}"}
    return {}


def _toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
