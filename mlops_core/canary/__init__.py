"""A release tried out before its callers, at its target.

So far there is one target, the releases of this machine, and what is done for it is a rehearsal: the release
is served aside, on a port that no caller knows, and asked what callers ask. No share of their traffic goes to
it. A target that can share traffic out by weight gives the same result, a `Canary`, by a function of its own.
"""

from mlops_core.canary.rehearsal import rehearsed, rehearsed_serving
from mlops_core.canary.result import MAX_LATENCY_MS, MAX_SHIFT, REQUESTS, Canary, Limits

__all__ = [
    "MAX_LATENCY_MS",
    "MAX_SHIFT",
    "REQUESTS",
    "Canary",
    "Limits",
    "rehearsed",
    "rehearsed_serving",
]
