"""Precision, recall and F1 of things that are to be found, such as the rows of a class or the entities of a type."""

from collections.abc import Sequence

import numpy as np

from tasks.scoring.resampling import Numbers, Rescore, share, sums_of_units, undefined_share


def found_rescore(right: Numbers, found: Numbers, wanted: Numbers, units: Sequence[int]) -> Rescore:
    """Return `precision`, `recall` and `f1` for weighted units. A ratio with denominator 0 is 0.

    Args:
        right: how many each row has that are found and wanted: [rows].
        found: how many are found in each row: [rows].
        wanted: how many each row has: [rows].
        units: the number of each row's unit.
    """
    return sums_of_units(np.column_stack([right, found, wanted]), units, _overall)


def _overall(sums: Numbers) -> dict[str, Numbers]:
    return precision_recall_f1(*(sums[..., place] for place in range(3)))


def precision_recall_f1(right: Numbers, found: Numbers, wanted: Numbers) -> dict[str, Numbers]:
    """Return the scores of numbers of what is right, found and wanted: [draws] each."""
    return {
        "precision": share(right, found),
        "recall": share(right, wanted),
        "f1": share(2 * right, found + wanted),
    }


def recall_rescore(right: Numbers, wanted: Numbers, units: Sequence[int]) -> Rescore:
    """Return `recall` for weighted units. It is no number where nothing is wanted.

    Args:
        right: how many each row has that are found and wanted: [rows].
        wanted: how many each row has: [rows].
        units: the number of each row's unit.
    """
    return sums_of_units(
        np.column_stack([right, wanted]), units, lambda sums: {"recall": undefined_share(sums[..., 0], sums[..., 1])}
    )
