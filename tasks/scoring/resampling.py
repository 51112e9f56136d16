"""Scores of rows that are taken as often as weights say, without scoring any row again.

Most scores are functions of sums over rows, such as those of right answers. So a resampled set of rows is scored by a
product of weights and what each row adds to the sums. Correlations of ranks are not of this kind, and have their own
function.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

TINY = 1e-12

Numbers: TypeAlias = NDArray[np.float64]
Formula: TypeAlias = Callable[[Numbers], Mapping[str, Numbers]]
"Maps sums [draws, sums] to scores [draws], by their names."
Rescore: TypeAlias = Callable[[Numbers], Mapping[str, Numbers]]
"Maps the weights of units [draws, units] to scores [draws], by their names. Weights of 1 give the scores themselves."


@dataclass(frozen=True)
class SumsOfUnits:
    """Scores that are functions of sums. A unit is a row, or all rows of a document or an article."""

    sums: sparse.csr_array
    "What each unit adds to each sum: float64 [sums, units]."
    formula: Formula

    def __call__(self, weights: Numbers) -> Mapping[str, Numbers]:
        """Return the scores of each draw."""
        return self.formula((self.sums @ weights.T).T)


def sums_of_units(rows: "Numbers | sparse.sparray", units: Sequence[int], formula: Formula) -> SumsOfUnits:
    """Return scores by a formula over sums.

    Args:
        rows: what each row adds to each sum: [rows, sums].
        units: the number of each row's unit, from 0.
        formula: the scores of sums.
    """
    members = sparse.csr_array(
        (np.ones(len(units)), (units, np.arange(len(units)))), shape=(max(units) + 1, len(units))
    )
    return SumsOfUnits(sparse.csr_array((members @ sparse.csr_array(rows)).T), formula)


def one_hot(places: Sequence[int], size: int) -> sparse.csr_array:
    """Return a 1 for each row at its place: float64 [rows, size]."""
    return sparse.csr_array((np.ones(len(places)), (np.arange(len(places)), places)), shape=(len(places), size))


def share(part: Numbers, whole: Numbers) -> Numbers:
    """Return the ratio, 0 where the denominator is 0."""
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole != 0)


def undefined_share(part: Numbers, whole: Numbers) -> Numbers:
    """Return the ratio, not a number where the denominator is 0."""
    undefined: Numbers = np.full(np.broadcast(part, whole).shape, np.nan)
    return np.divide(part, whole, out=undefined, where=whole > 0)


def mean_where(values: Numbers, chosen: NDArray[np.bool_]) -> Numbers:
    """Return the mean over the chosen values of each draw, 0 if there are none: [draws, classes] to [draws]."""
    return share((values * chosen).sum(axis=-1), chosen.astype(float).sum(axis=-1))


def correlation_of_sums(
    count: Numbers, one: Numbers, two: Numbers, squares: Numbers, others: Numbers, products: Numbers
) -> Numbers:
    """Return Pearson's correlation by sums; not a number where a side is constant.

    Args:
        count: the number of rows.
        one: the sum of the first side's values.
        two: the sum of the second side's.
        squares: the sum of the squares of the first side's values.
        others: the sum of the squares of the second side's.
        products: the sum of the products of both.
    """
    first, second = squares - one * one / count, others - two * two / count
    # Of a constant side rounding leaves a little more or less than nothing.
    varies = (first > TINY * squares) & (second > TINY * others)
    spread = np.where(varies, first * second, 0.0)
    return undefined_share(products - one * two / count, np.sqrt(spread))


@dataclass(frozen=True)
class Ranks:
    """The ranks of rows that count as often as weights say. Equal values share the mean of their ranks."""

    group: NDArray[np.intp]
    "The number of each row's value among all values, in ascending order: [rows]."
    order: NDArray[np.intp]
    "The rows in ascending order: [rows]."
    starts: NDArray[np.intp]
    "Where in that order each group begins: [groups]."

    @classmethod
    def of(cls, values: Sequence[float]) -> "Ranks":
        """Return the ranks of rows with these values."""
        _, group = np.unique(np.asarray(values, dtype=float), return_inverse=True)
        order = np.argsort(group, kind="stable")
        return cls(group, order, np.flatnonzero(np.diff(group[order], prepend=-1)))

    def of_groups(self, weights: Numbers) -> tuple[Numbers, Numbers]:
        """Return the rank of each group from 1, and how many rows it has: [groups, draws] each.

        Args:
            weights: how often each row is there: [rows, draws].

        >>> Ranks.of([7, 5, 9]).of_groups(np.array([[1.0], [2.0], [1.0]]))[0].ravel()
        array([1.5, 3. , 4. ])
        """
        sizes = weights[self.order]
        if len(self.starts) < len(self.order):
            sizes = np.add.reduceat(sizes, self.starts, axis=0)
        # In place: the mean rank of a group is that of its last row, less half of the others.
        ranks = sizes.cumsum(axis=0)
        ranks -= 0.5 * sizes
        ranks += 0.5
        return ranks, sizes


def rank_correlation(weights: Numbers, first: Ranks, second: Ranks) -> Numbers:
    """Return Spearman's correlation of rows that count as often as weights [draws, rows] say: [draws]."""
    weights = np.ascontiguousarray(weights.T)  # picking whole rows of it is several times as fast
    count = weights.sum(axis=0)
    one, sizes_of_one = first.of_groups(weights)
    two, sizes_of_two = second.of_groups(weights)
    total = count * (count + 1) / 2
    squares, others = np.einsum("gd,gd,gd->d", sizes_of_one, one, one), np.einsum("gd,gd,gd->d", sizes_of_two, two, two)
    products = np.einsum("rd,rd,rd->d", weights, one[first.group], two[second.group])
    return correlation_of_sums(count, total, total, squares, others, products)
