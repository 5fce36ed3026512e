"""Are the trees of a loaded boosting model trees?

scikit-learn follows the node indices of a `TreePredictor` without checking them, so a forged file could make
a prediction read foreign memory or never end. Its own trees are numbered depth first: children come after
their parent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlops_core.errors import IntegrityError

__all__ = ["check_trees"]


def check_trees(classifier: Any, features: int) -> None:
    """Raise `IntegrityError` unless every split of every tree reads one of `features` and leads downwards."""
    for number, predictors in enumerate(classifier._predictors):
        for predictor in predictors:
            if not _is_tree(predictor.nodes, features):
                raise IntegrityError(
                    f"tree {number} of the model has splits that lead nowhere; fetch the model again"
                )


def _is_tree(nodes: np.ndarray[Any, Any], features: int) -> bool:
    if nodes.ndim != 1 or len(nodes) == 0:
        return False
    parents = np.flatnonzero(nodes["is_leaf"] == 0)
    splits = nodes[parents]
    good = (splits["feature_idx"] >= 0) & (splits["feature_idx"] < features) & (splits["is_categorical"] == 0)
    for side in ("left", "right"):
        good &= (splits[side] > parents) & (splits[side] < len(nodes))
    return bool(good.all())
