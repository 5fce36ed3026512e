"""What a run would do, and why, without running or writing anything."""

from mlops_core.planning.plan import Plan, Status, TaskPlan
from mlops_core.planning.planner import Planner

__all__ = ["Plan", "Planner", "Status", "TaskPlan"]
