"""(Co)variances of which the data tell nothing, or only a sum: found in the information, told with the reason."""

from __future__ import annotations

import numpy as np

from breedeval.variance.maximize import Maximum

#: Information below this counts as none: a standard error of a thousand times the plausible size.
NO_INFORMATION = 1e-6
#: Elements of a direction up to this share of its largest one are not part of it.
SMALL_PART = 0.05


def undetermined_sentences(maximum: Maximum) -> list[str]:
    """Sentences on directions in the space of the (co)variances along which the likelihood is flat.

    Two effects with the same levels on every record, an effect with a level of its own for each record, and an effect that the
    fixed effects explain altogether have no estimates, though the search ends somewhere.

    Notes
    -----
    A direction is an eigenvector of average information, in units of the plausible sizes, whose eigenvalue is nearly zero.
    Covariances without any information of their own, as those of traits never recorded together, are left to the table.
    """
    parameters = maximum.parameters
    scale = parameters.scales()
    information = maximum.information * np.outer(scale, scale)
    if not np.isfinite(information).all():
        return []
    names = np.array(parameters.names)
    own = np.diag(information)
    found = [
        _sentence([name])
        for name, (_, i, j), value in zip(names.tolist(), parameters.elements, own, strict=True)
        if i == j and value <= 0
    ]
    used = np.flatnonzero(own > 0)
    values, vectors = np.linalg.eigh(information[np.ix_(used, used)])
    flat = np.abs(vectors.T[values < NO_INFORMATION])
    found += [_sentence(names[used][vector > SMALL_PART * vector.max()].tolist()) for vector in flat]
    return list(dict.fromkeys(found))


def _sentence(names: list[str]) -> str:
    if len(names) == 1:
        return (
            f"{names[0]} cannot be estimated: whatever it is, the likelihood is the same. Its effect has one level only, or "
            "the fixed effects explain it altogether. Leave out one of them"
        )
    return (
        f"{', '.join(names)} cannot be told from each other: only a combination of them is estimated, and each is where the "
        "search happened to end. Effects with the same levels on every record, or with one level a record, do that. Leave "
        "out one of them"
    )
