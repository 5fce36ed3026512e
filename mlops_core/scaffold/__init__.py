"""A new use case from a look at the data: what is proposed and why, and the text of its files."""

from mlops_core.scaffold.choices import Choice
from mlops_core.scaffold.draft import Draft
from mlops_core.scaffold.files import Place, is_checkout, with_entry
from mlops_core.scaffold.look import Look
from mlops_core.scaffold.names import check_name
from mlops_core.scaffold.proposal import Proposal, Told, horizon_from, propose

__all__ = [
    "Choice",
    "Draft",
    "Look",
    "Place",
    "Proposal",
    "Told",
    "check_name",
    "horizon_from",
    "is_checkout",
    "propose",
    "with_entry",
]
