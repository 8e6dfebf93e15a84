"""Relationships between males through their sires and maternal grandsires.

A male's breeding value is u_i = ½ u_s + ¼ u_g + m_i with sire s and maternal grandsire g; what comes from the maternal granddam
is part of m_i, so granddams count as unrelated and not inbred. With F_i = ¼ a_sg,

    var(m_i) = 1 − ¼ (1 + F_s) − 1/16 (1 + F_g),

which is 11/16 where both are known and not inbred, ¾ with the sire alone, 15/16 with the grandsire alone (Quaas, Everett and
McClintock 1979, J. Dairy Sci. 62:1648; Henderson 1975, J. Dairy Sci. 58:1917).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array

from breedeval.arrays import NONE, Float64, Int32, freeze
from breedeval.names import Names
from breedeval.pedigree.pedigree import Pedigree
from breedeval.pedigree.table import MALE
from breedeval.relationship.inbreeding import Inbreeding, compute_inbreeding
from breedeval.relationship.stored_inverse import StoredInverse


@dataclass(frozen=True)
class MalePedigree:
    """The sires of a pedigree as animals of their own.

    Parameters
    ----------
    pedigree
        Sires, with their own sires where these are known; dams are not in it.
    maternal_grandsire
        (k,) int32 row of each one's maternal grandsire, −1 unknown.
    sire_of, grandsire_of
        (n,) int32 row, in `pedigree`, of the sire and the maternal grandsire of each animal of the full pedigree; −1 unknown.
    """

    pedigree: Pedigree
    maternal_grandsire: Int32
    sire_of: Int32
    grandsire_of: Int32


def male_pedigree(pedigree: Pedigree) -> MalePedigree:
    """Take the sires out of a pedigree; maternal grandsires are among them.

    Unknown-parent groups count as unknown.

    Examples
    --------
    >>> import breedeval as be
    >>> males = male_pedigree(be.read_pedigree("pedigrees/mrode_table_2_1.csv"))
    >>> males.pedigree.ids.to_list(), males.pedigree.sire.tolist(), males.maternal_grandsire.tolist()
    (['1', '4', '5'], [-1, 0, 1], [-1, -1, 0])
    """
    n = pedigree.n_animals
    sire = np.where(pedigree.sire < n, pedigree.sire, NONE)
    dam = np.where(pedigree.dam < n, pedigree.dam, NONE)
    grandsire = np.where(dam >= 0, sire[dam], NONE)
    males = np.unique(sire[sire >= 0])
    row = np.full(n + 1, NONE, dtype=np.int32)
    row[males] = np.arange(len(males), dtype=np.int32)
    sire_of, grandsire_of = row[sire], row[grandsire]
    own = Pedigree(
        ids=pedigree.ids.take(males),
        sire=freeze(sire_of[males]),
        dam=freeze(np.full(len(males), NONE, dtype=np.int32)),
        sex=freeze(np.full(len(males), MALE, dtype=np.int8)),
        birth_year=freeze(pedigree.birth_year[males]),
        groups=Names.of([]),
        source=pedigree.source,
    )
    return MalePedigree(own, freeze(grandsire_of[males]), freeze(sire_of), freeze(grandsire_of))


def compute_male_inbreeding(males: MalePedigree, *, ignore: bool = False) -> Inbreeding:
    """F and Mendelian variances of males: each is given a dam of his own, whose sire is the maternal grandsire."""
    s, g = males.pedigree.sire, males.maternal_grandsire
    k = len(s)
    f = np.zeros(k) if ignore else compute_inbreeding(_with_dams(males)).coefficients[2 * np.arange(k) + 1]
    by_sire, by_grandsire = np.append(1.0 + f, 0.0)[s], np.append(1.0 + f, 0.0)[g]
    return Inbreeding(freeze(f.copy()), freeze(1.0 - by_sire / 4 - by_grandsire / 16), ignore)


def male_inverse(males: MalePedigree, inbreeding: Inbreeding) -> StoredInverse:
    """A⁻¹ of the males: (I − T)' D⁻¹ (I − T), where T has ½ for the sire and ¼ for the maternal grandsire."""
    k = len(males.maternal_grandsire)
    rows, s, g = np.arange(k), males.pedigree.sire, males.maternal_grandsire
    row = np.concatenate([rows, rows[s >= 0], rows[g >= 0]])
    column = np.concatenate([rows, s[s >= 0], g[g >= 0]])
    value = np.concatenate([np.ones(k), np.full(int((s >= 0).sum()), -0.5), np.full(int((g >= 0).sum()), -0.25)])
    shares = csr_array((value, (row, column)), shape=(k, k))
    precision: Float64 = 1.0 / inbreeding.mendelian_variance
    log_determinant = float(np.log(inbreeding.mendelian_variance).sum())
    return StoredInverse(csr_array(shares.T @ diags_array(precision) @ shares), log_determinant)


def _with_dams(males: MalePedigree) -> Pedigree:
    """Male i in row 2i + 1, his dam in row 2i, her dam unknown."""
    k = len(males.maternal_grandsire)
    sire, dam = np.full(2 * k, NONE, dtype=np.int32), np.full(2 * k, NONE, dtype=np.int32)
    s, g = males.pedigree.sire, males.maternal_grandsire
    sire[0::2] = np.where(g >= 0, 2 * g + 1, NONE)
    sire[1::2] = np.where(s >= 0, 2 * s + 1, NONE)
    dam[1::2] = 2 * np.arange(k, dtype=np.int32)
    none = np.zeros(2 * k, dtype=np.int8)
    ids = males.pedigree.ids.take(np.repeat(np.arange(k), 2))
    return Pedigree(ids, freeze(sire), freeze(dam), freeze(none), freeze(np.zeros(2 * k, dtype=np.int32)), Names.of([]))
