"""A bare FastAPI application that gives back the JSON object that it is sent: `serving_echo.py PORT`.

As fast as FastAPI goes with a body: a coroutine, an annotated answer, and no middleware. The settings of
uvicorn are those of `mlops_core.serving.server`.
"""

# No `from __future__ import annotations` here: FastAPI reads the handlers' annotations at run time.

import sys
from typing import Any

import uvicorn
from fastapi import FastAPI

app = FastAPI()


@app.get("/ready")
async def ready() -> None:
    """Answers."""


@app.post("/echo")
async def echo(body: dict[str, Any]) -> dict[str, Any]:
    """What came."""
    return body


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
