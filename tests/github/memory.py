"""What the fake GitHub keeps, and what each operation does with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_INPUTS = {"use_case", "version", "digest", "target", "deployment"}
_BOT = "github-actions[bot]"


@dataclass(frozen=True)
class Answer:
    """Status, what is sent as JSON (None: nothing), and headers of its own."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """What is refused, and how."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(
            status,
            {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)},
        )


class Memory:
    """Deployments, statuses, runs, reviews and comments of one repository; nothing is ever removed."""

    def __init__(
        self,
        *,
        repository: str,
        url: str,
        ref: str = "main",
        old: bool = False,
        workflows: tuple[str, ...] = ("deliver.yml",),
        author: str = _BOT,
    ) -> None:
        self._repository, self._url, self._ref = repository, url, ref
        self.old, self.workflows, self.author = old, workflows, author
        self.deployments: list[dict[str, Any]] = []
        self.statuses: dict[int, list[dict[str, Any]]] = {}
        self.runs: list[dict[str, Any]] = []
        self.reviews: dict[str, list[dict[str, Any]]] = {}
        self.comments: dict[int, list[dict[str, Any]]] = {}

    def state(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        return {
            "deployments": self.deployments,
            "statuses": {str(number): found for number, found in self.statuses.items()},
            "runs": self.runs,
            "reviews": self.reviews,
            "comments": {str(number): found for number, found in self.comments.items()},
        }

    def review(self, run: str, said: list[dict[str, Any]]) -> None:
        """What reviewers said of a run, in place of what they said before."""
        self.reviews[run] = [
            {
                "state": one["state"],
                "comment": one.get("comment", ""),
                "user": _person(one["login"]),
                "environments": [
                    {"id": 1, "node_id": "E1", "name": name, "url": self._url, "html_url": self._url}
                    for name in one.get("environments", ["production"])
                ],
            }
            for one in said
        ]

    def operate(
        self, operation: str, values: Mapping[str, str], query: Mapping[str, str], body: Any
    ) -> Answer:
        """Do what is asked. Raises `Problem` for what GitHub refuses."""
        method, _, path = operation.partition(" ")
        match (method, path.removeprefix("/repos/{owner}/{repo}")):
            case ("GET", "/deployments"):
                wanted = {name: query[name] for name in ("task", "environment") if name in query}
                fits = [one for one in self.deployments if wanted.items() <= one.items()]
                return self._page(fits[::-1], query, path, values)
            case ("POST", "/deployments"):
                return self._deploy(body)
            case ("GET", "/deployments/{deployment_id}/statuses"):
                return self._page(self._statuses(values)[::-1], query, path, values)
            case ("POST", "/deployments/{deployment_id}/statuses"):
                return self._tell(values, body)
            case ("POST", "/actions/workflows/{workflow_id}/dispatches"):
                return self._dispatch(values["workflow_id"], body)
            case ("GET", "/actions/workflows/{workflow_id}/runs"):
                return self._runs(values["workflow_id"], query)
            case ("GET", "/actions/runs/{run_id}/approvals"):
                return self._approvals(values["run_id"])
            case ("GET", "/issues/{issue_number}/comments"):
                return self._page(self.comments.get(int(values["issue_number"]), []), query, path, values)
            case ("POST", "/issues/{issue_number}/comments"):
                return self._comment(int(values["issue_number"]), body)
            case _:
                return self._rewrite(int(values["comment_id"]), body)

    def _page(
        self, found: list[dict[str, Any]], query: Mapping[str, str], path: str, values: Mapping[str, str]
    ) -> Answer:
        """One page of it, with the address of the next one in the header Link, as GitHub has it."""
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        rest = found[size * page :]
        where = f"{self._url}{path.format(**values)}"
        more = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
        link = {"Link": f'<{where}?{more}&page={page + 1}>; rel="next"'} if rest else {}
        return Answer(200, found[size * (page - 1) : size * page], link)

    def _deploy(self, body: dict[str, Any]) -> Answer:
        if body["ref"] != self._ref:
            raise Problem(422, f"No ref found for: {body['ref']}")
        if len(body.get("description") or "") > 140:
            raise Problem(422, "description is too long (maximum is 140 characters)")
        number, where = len(self.deployments) + 1, f"{self._url}/repos/{self._repository}"
        made = {
            "id": number,
            "node_id": f"D{number}",
            "url": f"{where}/deployments/{number}",
            "sha": "0" * 40,
            "ref": body["ref"],
            "task": body.get("task", "deploy"),
            "payload": body.get("payload", ""),
            "original_environment": body.get("environment", "production"),
            "environment": body.get("environment", "production"),
            "description": body.get("description"),
            "creator": _person(self.author),
            "created_at": _now(),
            "updated_at": _now(),
            "statuses_url": f"{where}/deployments/{number}/statuses",
            "repository_url": where,
            "transient_environment": False,
            "production_environment": body.get(
                "production_environment", body.get("environment", "production") == "production"
            ),
        }
        self.deployments.append(made)
        self.statuses[number] = []
        return Answer(201, made)

    def _statuses(self, values: Mapping[str, str]) -> list[dict[str, Any]]:
        found = self.statuses.get(int(values["deployment_id"]))
        if found is None:
            raise Problem(404, "Not Found")
        return found

    def _tell(self, values: Mapping[str, str], body: dict[str, Any]) -> Answer:
        found, number = self._statuses(values), int(values["deployment_id"])
        if len(body.get("description", "")) > 140:
            raise Problem(422, "description is too long (maximum is 140 characters)")
        told = self._status(number, body)
        found.append(told)
        if told["state"] == "success" and body.get("auto_inactive", True):
            for other in self.deployments:
                before = self.statuses[other["id"]]
                same = other["environment"] == self.deployments[number - 1]["environment"]
                ended = before and before[-1]["state"] == "success"
                if other["id"] != number and same and ended and not other["production_environment"]:
                    before.append(self._status(other["id"], {"state": "inactive"}))
        return Answer(201, told)

    def _status(self, deployment: int, body: dict[str, Any]) -> dict[str, Any]:
        number = 1000 + sum(len(told) for told in self.statuses.values())
        where = f"{self._url}/repos/{self._repository}/deployments/{deployment}"
        return {
            "id": number,
            "node_id": f"S{number}",
            "url": f"{where}/statuses/{number}",
            "state": body["state"],
            "creator": _person(self.author),
            "description": body.get("description", ""),
            "environment": body.get("environment", self.deployments[deployment - 1]["environment"]),
            "target_url": body.get("log_url", body.get("target_url", "")),
            "log_url": body.get("log_url", body.get("target_url", "")),
            "environment_url": body.get("environment_url", ""),
            "created_at": _now(),
            "updated_at": _now(),
            "deployment_url": where,
            "repository_url": f"{self._url}/repos/{self._repository}",
        }

    def _dispatch(self, workflow: str, body: dict[str, Any]) -> Answer:
        if workflow not in self.workflows:
            raise Problem(404, "Not Found")
        if body["ref"] != self._ref:
            raise Problem(422, f"No ref found for: {body['ref']}")
        inputs = body.get("inputs", {})
        unexpected = sorted(inputs.keys() - _INPUTS)
        if unexpected:
            raise Problem(422, f"Unexpected inputs provided: {unexpected}")
        if not all(isinstance(value, str) for value in inputs.values()):
            raise Problem(422, "inputs are strings")
        run = self._run(workflow, inputs)
        self.runs.append(run)
        if self.old or not body.get("return_run_details"):
            return Answer(204, None)
        told = {"workflow_run_id": run["id"], "run_url": run["url"], "html_url": run["html_url"]}
        return Answer(200, told)

    def _run(self, workflow: str, inputs: dict[str, str]) -> dict[str, Any]:
        number = 9001 + len(self.runs)
        where = f"{self._url}/repos/{self._repository}/actions"
        links = ("jobs", "logs", "check_suite", "artifacts", "cancel", "rerun")
        title = "deliver {use_case} {version} (deployment {deployment})"
        given = {name: inputs.get(name, "") for name in _INPUTS}
        return {
            "id": number,
            "name": "deliver",
            "node_id": f"R{number}",
            "head_branch": self._ref,
            "head_sha": "0" * 40,
            "path": f".github/workflows/{workflow}",
            "display_title": title.format(**given),
            "run_number": len(self.runs) + 1,
            "event": "workflow_dispatch",
            "status": "queued",
            "conclusion": None,
            "workflow_id": 1 + self.workflows.index(workflow),
            "url": f"{where}/runs/{number}",
            "html_url": f"https://github.com/{self._repository}/actions/runs/{number}",
            "workflow_url": f"{where}/workflows/1",
            **{f"{name}_url": f"{where}/runs/{number}/{name}" for name in links},
            "created_at": _now(),
            "updated_at": _now(),
            "inputs": inputs,
        }

    def _runs(self, workflow: str, query: Mapping[str, str]) -> Answer:
        if workflow not in self.workflows:
            raise Problem(404, "Not Found")
        found = [run for run in self.runs[::-1] if run["path"].endswith(f"/{workflow}")]
        found = [run for run in found if run["event"] == query.get("event", run["event"])]
        shown = [{name: run[name] for name in run if name != "inputs"} for run in found]
        page = shown[: int(query.get("per_page", 30))]
        return Answer(200, {"total_count": len(shown), "workflow_runs": page})

    def _approvals(self, run: str) -> Answer:
        said = self.reviews.get(run, self.reviews.get("*"))
        if said is None and int(run) not in {one["id"] for one in self.runs}:
            raise Problem(404, "Not Found")
        return Answer(200, said or [])

    def _comment(self, issue: int, body: dict[str, str]) -> Answer:
        _check_length(body["body"])
        number = 500 + sum(len(found) for found in self.comments.values())
        where = f"{self._url}/repos/{self._repository}/issues"
        made = {
            "id": number,
            "node_id": f"C{number}",
            "url": f"{where}/comments/{number}",
            "html_url": f"https://github.com/{self._repository}/pull/{issue}#issuecomment-{number}",
            "body": body["body"],
            "user": _person(self.author),
            "author_association": "NONE",
            "created_at": _now(),
            "updated_at": _now(),
            "issue_url": f"{where}/{issue}",
        }
        self.comments.setdefault(issue, []).append(made)
        return Answer(201, made)

    def _rewrite(self, number: int, body: dict[str, str]) -> Answer:
        _check_length(body["body"])
        for found in self.comments.values():
            for one in found:
                if one["id"] == number:
                    one["body"] = body["body"]
                    return Answer(200, one)
        raise Problem(404, "Not Found")


def _check_length(body: str) -> None:
    if len(body) > 65_536:
        raise Problem(422, "Body is too long (maximum is 65536 characters)")


def _person(login: str) -> dict[str, Any]:
    kind = "Bot" if login.endswith("[bot]") else "User"
    return {"login": login, "id": 1, "type": kind, "html_url": f"https://github.com/{login}"}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
