"""`mlops doctor`: is everything there that a run needs, one finding after the other."""

from mlops_core.doctor.examination import examine
from mlops_core.doctor.finding import Finding

__all__ = ["Finding", "examine"]
