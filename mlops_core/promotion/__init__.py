"""How a version gets to Production and out of it, whichever engines keep the records."""

from mlops_core.promotion.approval import answer, ask, asked_already, current_question, standing_decision
from mlops_core.promotion.ending import settled, share_of
from mlops_core.promotion.handover import bring, hand_over, where
from mlops_core.promotion.onward import Onward, onward
from mlops_core.promotion.promote import promote, put_into_production
from mlops_core.promotion.record import decide, enter, mirror, record, registered, standing_of
from mlops_core.promotion.rollback import roll_back, served_before
from mlops_core.promotion.target import content_of, prepared, serve, served
from mlops_core.promotion.traffic import share, withdraw
from mlops_core.promotion.verify import adopt, lost, repair, strays

__all__ = [
    "Onward",
    "adopt",
    "answer",
    "ask",
    "asked_already",
    "bring",
    "content_of",
    "current_question",
    "decide",
    "enter",
    "hand_over",
    "lost",
    "mirror",
    "onward",
    "prepared",
    "promote",
    "put_into_production",
    "record",
    "registered",
    "repair",
    "roll_back",
    "serve",
    "served",
    "served_before",
    "settled",
    "share",
    "share_of",
    "standing_decision",
    "standing_of",
    "strays",
    "where",
    "withdraw",
]
