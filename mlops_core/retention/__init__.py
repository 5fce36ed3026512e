"""What versions, releases and runs need is kept; what nobody refers to can be found and removed."""

from mlops_core.retention.collect import Retention, names_known
from mlops_core.retention.found import KINDS, Found, Item, Kind, Total, totals
from mlops_core.retention.models import ModelFiles
from mlops_core.retention.releases import Releases

__all__ = [
    "KINDS",
    "Found",
    "Item",
    "Kind",
    "ModelFiles",
    "Releases",
    "Retention",
    "Total",
    "names_known",
    "totals",
]
