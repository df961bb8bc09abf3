"""The density of all pairs, a chunk of rows at a time: the table is read once, and one number a pair is kept.

* A reference is prepared first: its own neighbours, who leaves it, and what the scores need of it.
* Scores are functions of a `Density`. Those that are asked for together are computed in one pass; what was computed
  is kept.
* Exact copies count as one vector in the reference, never as their own neighbours, and share one score.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bezoar.detection.density import Density, Reference, Score, Scores
from bezoar.detection.neighbours import (
    Indices,
    Precision,
    Search,
    Table,
    Vectors,
    chunks,
    nearest_references,
    refuse_not_finite,
)
from bezoar.detection.piles import Piles
from bezoar.detection.reference import Setting, sample

# Fewer different vectors cannot be compared with one another.
FEWEST = 4


@dataclass(frozen=True)
class Prepared:
    """One reference: `sample` (m,) its rows in the table, ascending, ready to be searched by everybody."""

    sample: Indices
    search: Search
    reference: Reference

    @staticmethod
    def prepare(vectors: Vectors, rows: Indices, setting: Setting, device: str, precision: Precision) -> Prepared:
        """Prepare the reference `vectors` (m, d), which stand at `rows` (m,) of the table."""
        k, count = setting.k, setting.purged_count
        own = nearest_references(vectors, vectors, k + count, identity=np.arange(len(rows)), device=device)
        left_out = Reference(own).loneliest(k, count) if count else None
        if left_out is not None:
            own = own.without(left_out, k)
        search = Search.prepare(vectors, k, left_out=left_out, device=device, precision=precision)
        return Prepared(rows, search, Reference(own))

    def density(self, vectors: Vectors, originals: Indices, start: int) -> Density:
        """Return the density of one chunk (b, d) whose first row is `start`; `originals` (b,): rows equal to them.

        The neighbours of what stands in the reference are known already, itself left out.
        """
        place = np.minimum(np.searchsorted(self.sample, originals), len(self.sample) - 1)
        known = self.sample[place] == originals
        if not known.any():
            return Density(self.search.nearest(vectors, start=start), self.reference)
        found = self.reference.own.rows(place)
        if not known.all():
            asked = ~known
            others = self.search.nearest(vectors[asked], rows=start + np.flatnonzero(asked))
            found.distances[asked], found.indices[asked] = others.distances, others.indices
        return Density(found, self.reference)


@dataclass(frozen=True)
class Densities:
    """The density of every row of a table (n, d) in the references that a setting and a seed draw.

    The four published scores are methods; any other function of a `Density` is scored by `score`. Scores named in
    `together` are all computed as soon as one of them is asked for: 8 bytes a row each, against a pass each.
    """

    table: Table
    piles: Piles
    setting: Setting
    seed: int = 0
    device: str = "cpu"
    precision: Precision = "full"
    together: tuple[Score, ...] = ()
    _kept: dict[Score, Scores] = field(default_factory=dict, repr=False, compare=False)

    def k_distance(self) -> Scores:
        """See `Density.k_distance`; (n,)."""
        return self.score(Density.k_distance)

    def slof(self) -> Scores:
        """See `Density.slof`; (n,)."""
        return self.score(Density.slof)

    def dao(self) -> Scores:
        """See `Density.dao`; (n,)."""
        return self.score(Density.dao)

    def lid(self) -> Scores:
        """See `Density.lid`; (n,)."""
        return self.score(Density.lid)

    def score(self, function: Score) -> Scores:
        """Return one number a row, (n,), the mean over the references."""
        if function not in self._kept:
            wanted = (function, *self.together) if function in self.together else (function,)
            self.scores(*dict.fromkeys(wanted))
        return self._kept[function]

    def scores(self, *functions: Score) -> tuple[Scores, ...]:
        """Return one number a row for each function, (n,) each, all in one pass over the table."""
        missing = [function for function in dict.fromkeys(functions) if function not in self._kept]
        if missing:
            self._kept.update(zip(missing, self._pass(missing), strict=True))
        return tuple(self._kept[function] for function in functions)

    @property
    def sample(self) -> Indices:
        """The rows (m,) of the first reference, before anybody has left it."""
        return self._samples()[0]

    @cached_property
    def references(self) -> tuple[Prepared, ...]:
        """The references, drawn among different vectors and prepared."""
        prepared = []
        for rows in self._samples():
            vectors = np.asarray(self.table[rows], np.float32)
            refuse_not_finite(vectors, "reference", rows)
            prepared.append(Prepared.prepare(vectors, rows, self.setting, self.device, self.precision))
        return tuple(prepared)

    def _samples(self) -> list[Indices]:
        distinct = self.piles.distinct
        m = min(self.setting.m, distinct)
        return [self.piles.rows(sample(distinct, m, self.seed, draw)) for draw in range(self.setting.references)]

    def _pass(self, functions: list[Score]) -> list[Scores]:
        n = len(self.table)
        found = [np.zeros(n) for _ in functions]
        if self.piles.distinct < FEWEST:
            return found  # nobody is lonelier than anybody
        size = self.references[0].search.rows_at_once
        for rows in chunks(n, size):
            vectors = np.asarray(self.table[rows])
            originals = self.piles.originals(rows.start, rows.stop)
            for prepared in self.references:
                density = prepared.density(vectors, originals, rows.start)
                for scores, function in zip(found, functions, strict=True):
                    scores[rows] += function(density)
        for scores in found:
            scores /= len(self.references)
            # Bit for bit: a product's last digit depends on a row's place in its chunk.
            scores[self.piles.copies] = scores[self.piles.firsts]
        return found
