"""Dominance relationships from the pedigree, and their inverse through the families of full sibs.

D_ij = ¼ (a_ss' a_dd' + a_sd' a_ds') for animals i and j with sires s, s' and dams d, d', and D_ii = 1 (Henderson 1985, Best
linear unbiased prediction of nonadditive genetic merits in noninbred populations, J. Anim. Sci. 60:111). The additive
relationships a of the parents count their inbreeding; that of the animals themselves is ignored: their own dominance variance
is that of a non-inbred animal, and neither inbreeding depression nor a covariance with additive effects is in the model.

An animal's dominance effect is the mean of its family of full sibs and a deviation (the subclass effects of Hoeschele and
VanRaden 1991, J. Dairy Sci. 74:557). With F the relationships between the families, F_fg = ¼ (a_ss' a_dd' + a_sd' a_ds'), and Z
the family of each animal, D = Z F Z' + M with the diagonal matrix M = 1 − F_ff. F is the matrix of symmetric products of
parents under A, so it is positive definite whenever A is, and D is if all M are positive. With the families as further levels
the inverse of the joint covariance is sparse in the animals:

    [ M⁻¹      −M⁻¹Z          ]
    [ −Z'M⁻¹   Z'M⁻¹Z + F⁻¹   ]
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_array, csr_array, diags_array

from breedeval.arrays import Float64, Int64, freeze
from breedeval.errors import EXAMPLES_SHOWN, DataError, NotPositiveDefiniteError, count_of, name_some
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.relationship.components import invert_by_components
from breedeval.relationship.inbreeding import Inbreeding
from breedeval.relationship.numerator import Numerator
from breedeval.relationship.related import RelatedLevels
from breedeval.relationship.stored_inverse import DENSE_FROM, StoredInverse

#: Most families of full sibs: between related ones the inverse is dense, and 10,000 take 0.8 GB.
LARGEST = 10_000
#: A deviation from the family of less variance than this is none.
SMALLEST_DEVIATION = 1e-8
_STRIP = 512


def dominance_levels(pedigree: Pedigree, inbreeding: Inbreeding, largest: int = LARGEST) -> RelatedLevels:
    """Dominance relationships of all animals of a pedigree, with their families behind them.

    Parameters
    ----------
    pedigree
        Groups and metafounders count as unknown parents. An animal with an unknown parent has no dominance relationship.
    inbreeding
        From `compute_inbreeding` of the same pedigree, without metafounders.
    largest
        Most families.

    Raises
    ------
    DataError
        If there are more families.
    NotPositiveDefiniteError
        If full sibs would be identical (parents fully inbred), or more than identical.

    Notes
    -----
    Time grows with the cube, memory with the square of the number of families that are related.

    Examples
    --------
    >>> import breedeval as be
    >>> pedigree = be.read_pedigree("pedigrees/mrode_table_2_1.csv")
    >>> related = dominance_levels(pedigree, be.compute_inbreeding(pedigree))
    >>> related.inverse.order, related.extra.to_list()
    (9, ['1 x 2', '5 x 2', '4 x 3'])
    """
    n = pedigree.n_animals
    family, sires, dams = _families(pedigree)
    if len(sires) > largest:
        raise DataError(
            f"dominance(): the pedigree {pedigree.source} has {count_of(len(sires), 'family', 'families')} of full sibs, more "
            f"than the {largest:,} for which dominance relationships are inverted. Prune the pedigree to the animals with "
            "records and their ancestors of two or three generations ('breedeval pedigree extract'), or leave dominance out."
        )
    f = _between_families(pedigree, inbreeding, sires, dams)
    names = Names.of(f"{pedigree.ids[int(s)]} x {pedigree.ids[int(d)]}" for s, d in zip(sires, dams, strict=True))
    within = 1.0 - f.diagonal()
    _refuse_identical(within, names, pedigree.source)
    has_family = np.flatnonzero(family >= 0)
    deviation = np.ones(n)
    deviation[has_family] = within[family[has_family]]
    z = csr_array((np.ones(len(has_family)), (has_family, family[has_family])), shape=(n, len(sires)))
    m_inverse = diags_array(1.0 / deviation, format="csr")
    f_inverse, log_determinant = invert_by_components(f, names)
    cross = csr_array(m_inverse @ z)
    joint = block_array([[m_inverse, -cross], [-cross.T, z.T @ cross + csr_array(f_inverse)]], format="csr")
    inverse = StoredInverse(csr_array(joint), log_determinant + float(np.log(deviation).sum()))
    own = np.concatenate([np.ones(n), f.diagonal()])
    return RelatedLevels(pedigree.ids, inverse, freeze(own), names, "dominance families")


def _families(pedigree: Pedigree) -> tuple[Int64, Int64, Int64]:
    """(n,) family of each animal, −1 without two known parents; (f,) parents of each family, in either role the same pair."""
    n = pedigree.n_animals
    sire, dam = pedigree.sire.astype(np.int64), pedigree.dam.astype(np.int64)
    known = np.flatnonzero((sire >= 0) & (sire < n) & (dam >= 0) & (dam < n))
    first, second = np.minimum(sire[known], dam[known]), np.maximum(sire[known], dam[known])
    _, example, code = np.unique(first * n + second, return_index=True, return_inverse=True)
    family = np.full(n, -1, dtype=np.int64)
    family[known] = code
    return family, sire[known[example]], dam[known[example]]


def _between_families(pedigree: Pedigree, inbreeding: Inbreeding, sires: Int64, dams: Int64) -> csr_array | Float64:
    """F, dense where most families are related."""
    parents = np.unique(np.concatenate([sires, dams]))
    a = Numerator(pedigree, inbreeding).subset(parents)
    s, d = np.searchsorted(parents, sires), np.searchsorted(parents, dams)
    f = np.empty((len(s), len(s)))
    for start in range(0, len(s), _STRIP):
        part = slice(start, start + _STRIP)
        f[part] = 0.25 * (a[s[part]][:, s] * a[d[part]][:, d] + a[s[part]][:, d] * a[d[part]][:, s])
    return f if np.count_nonzero(f) > DENSE_FROM * f.size else csr_array(f)


def _refuse_identical(within: Float64, names: Names, source: str) -> None:
    bad = np.flatnonzero(within < SMALLEST_DEVIATION)
    if len(bad):
        shown = name_some(names.take(bad[:EXAMPLES_SHOWN]), of=len(bad))
        raise NotPositiveDefiniteError(
            f"dominance(): {count_of(len(bad), 'family', 'families')} of {source}, {shown}: their parents are so inbred that "
            "full sibs would have the same dominance effect or one of more than the whole variance. The method ignores "
            "inbreeding (Henderson 1985) and does not hold there. Give such sibs one name (a cross of pure lines is one "
            "genotype: use random(cross)), leave their parents unknown, or leave dominance out."
        )
