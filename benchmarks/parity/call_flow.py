"""`python call_flow.py FILE:FLOW PARAMETERS`: call a flow of a file with parameters, as a worker does."""

from __future__ import annotations

import json
import sys
from typing import Any

from prefect.flows import load_flow_from_entrypoint

if __name__ == "__main__":
    flow: Any = load_flow_from_entrypoint(sys.argv[1])
    state = flow(**json.loads(sys.argv[2]), return_state=True)
    print(state.name, state.message)
    sys.exit(0 if state.is_completed() else 1)
