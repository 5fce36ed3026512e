"""Releases swapped under wrk: every answer must be a whole one, from a version that is current."""

from __future__ import annotations

import json
import signal
import subprocess
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.serving_faults.callers import BODIES
from benchmarks.serving_faults.shop import Shop, until

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.serving_faults.shop import Server

__all__ = ["Swapped", "swaps"]

# Each thread of wrk has one connection and so gets its answers in order: none may be of an older version than
# the one before it.
_SCRIPT = """
local bodies = {BODIES}
local threads = {}
local turn = 0
function setup(thread) table.insert(threads, thread) end
function init() answers, older, seen, last = 0, 0, "", 0 end
function request()
  turn = turn % #bodies + 1
  return wrk.format("POST", bodies[turn][1], nil, bodies[turn][2])
end
function response(status, headers, body)
  local version = tonumber(body:match('version":"?(%d+)'))
  if version == nil then return end
  answers = answers + 1
  if version < last then older = older + 1 end
  if version ~= last then seen = seen .. version .. " " end
  last = version
end
function done(summary, latency, requests)
  local answers, older, seen = 0, 0, ""
  for _, thread in ipairs(threads) do
    answers = answers + thread:get("answers")
    older = older + thread:get("older")
    seen = seen .. thread:get("seen")
  end
  local e = summary.errors
  local told = '{"requests": %d, "versioned": %d, "older": %d, "seen": "%s", "refused": %d, "errors": %d}'
  local broken = e.connect + e.read + e.write + e.timeout
  print(told:format(summary.requests, answers, older, seen, e.status, broken))
end
"""


class Swapped(NamedTuple):
    """What wrk got while releases were swapped.

    `refused` are answers other than 2xx, `errors` those of sockets, `unnamed` answers that name no version,
    `older` those of an older version than the answer before; `seen` are the versions that answered.
    """

    requests: int
    swaps: int
    seen: frozenset[int]
    refused: int
    errors: int
    unnamed: int
    older: int


def swaps(folder: Path, count: int) -> Swapped:
    """Swap `count` times, each as soon as the one before answers, under two connections that never rest."""
    shop = Shop(folder)
    shop.deploy(1)
    script = folder / "requests.lua"
    pairs = ", ".join(f"{{'{path}', '{body}'}}" for path, body in BODIES.items())
    script.write_text(_SCRIPT.replace("{BODIES}", f"{{{pairs}}}", 1))
    with shop.serving() as server:
        url = f"http://{server.host}:{server.port}"
        command = ["wrk", "-t2", "-c2", "-d600s", "-s", str(script), url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:  # noqa: S603 - no shell
            try:
                for version in range(2, count + 2):
                    shop.deploy(version)
                    until(partial(_serves, server, version))
                wrk.send_signal(signal.SIGINT)
                output, _ = wrk.communicate(timeout=60)
            finally:
                wrk.kill()
    told = json.loads(output[output.index("{") : output.rindex("}") + 1])
    return Swapped(
        requests=told["requests"],
        swaps=count,
        seen=frozenset(map(int, told["seen"].split())),
        refused=told["refused"],
        errors=told["errors"],
        unnamed=told["requests"] - told["versioned"],
        older=told["older"],
    )


def _serves(server: Server, version: int) -> bool:
    connection = server.connection()
    connection.request("GET", "/v2/models/churn")
    told = json.loads(connection.getresponse().read())
    connection.close()
    return bool(told["versions"][0] == str(version))
