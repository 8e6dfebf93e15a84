"""Whether (co)variances that come from a file belong to the terms of this model, and not to others with the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from breedeval.errors import VarianceError
from breedeval.evaluation.config import EvaluationConfig
from breedeval.evaluation.config_checks import has_file
from breedeval.evaluation.variance_files import TakenVariances, WrittenVariances
from breedeval.model.covariance import Problem
from breedeval.model.variance_terms import VarianceTerm, VarianceTerms
from breedeval.model.variances import ResidualCovariance, variance_error

#: Units are doubted where the standard deviation of a trait is this many times that of the records estimated from.
OTHER_UNITS = 2.0


def check_taken_variances(config: EvaluationConfig, written: WrittenVariances, terms: VarianceTerms) -> list[str]:
    """Compare what the (co)variances of files belong to with the model.

    Parameters
    ----------
    terms
        Of this model, over its records.

    Returns
    -------
    list of str
        What could not be checked, and what is a little different.

    Raises
    ------
    VarianceError
        If (co)variances belong to other terms; all are named together.
    """
    problems: list[Problem] = []
    notes: dict[str, None] = {}
    for taken in written.taken:
        if taken.terms is None:
            notes[_unchecked(taken.file)] = None
        elif taken.block is None:
            problems += [((taken.key,), text) for text in _other_weights(taken, terms)]
            notes.update(dict.fromkeys(_doubtful_residual(taken, terms)))
        else:
            stored = taken.terms.random.get(taken.stored_key, {})
            pairs = [(label, stored[label], term) for label, term in terms.random[taken.block].items() if label in stored]
            problems += [((taken.key,), text) for text in _other_terms(taken, pairs)]
            near = {note for _, a, b in pairs if not a.differs_from(b) and (note := a.note_on(b))}
            notes.update(dict.fromkeys(f"variances: {taken.file}, {taken.stored_key}: {note}" for note in sorted(near)))
    if problems:
        raise variance_error(problems, config.where)
    return list(notes)


def _unchecked(file: str) -> str:
    return (
        f"variances: {file} is of a version that did not write what its (co)variances belong to: whether functions of "
        "covariates (range, order, knots), relationships and weights are those of this model could not be checked"
    )


def _other_terms(taken: TakenVariances, pairs: list[tuple[str, VarianceTerm, VarianceTerm]]) -> Iterator[str]:
    """A sentence for each pair of terms of which the one is not the other."""
    found: dict[tuple[str, str], list[str]] = {}
    for label, there, here in pairs:
        if there.differs_from(here):
            found.setdefault(_both(there, here), []).append(label)
    for (there_text, here_text), labels in found.items():
        yield (
            f"{taken.file} has (co)variances of another effect. {', '.join(labels)} {'is' if len(labels) == 1 else 'are'} of "
            f"{there_text} there, and of {here_text} in this model. Estimate with this model, make its formula that of "
            "the file (a range that is observed changes with the records: write it), or write the numbers."
        )


def _both(there: VarianceTerm, here: VarianceTerm) -> tuple[str, str]:
    """The two terms in words, with as much as tells them apart."""
    one, other = there.text, here.text
    if there.relationship != here.relationship:
        one, other = f"{one} with {there.relation}", f"{other} with {here.relation}"
    if one == other:  # the same term, of which this is another coefficient
        one, other = (f"coefficient {term.coefficient} of {term.text}" for term in (there, here))
    return one, other


def _other_weights(taken: TakenVariances, terms: VarianceTerms) -> Iterator[str]:
    stored = taken.terms.weights if taken.terms else {}
    for trait, here in terms.weights.items():
        there = stored.get(trait, here)
        if bool(there) != bool(here):
            yield (
                f"{taken.file}: the residual variance of {trait} is {_per(there)} there, and {_per(here)} in this model "
                "(records.weight). Weight the records as there, estimate with this model, or write the number."
            )


def _per(column: str) -> str:
    return f"that of a record with a weight of one in column {column}" if column else "that of a record without weight"


def _doubtful_residual(taken: TakenVariances, terms: VarianceTerms) -> Iterator[str]:
    """Other columns of weights, and traits of quite another size."""
    if taken.terms is None:
        return
    for trait, here in terms.weights.items():
        there = taken.terms.weights.get(trait, here)
        if there and here and there != here:
            yield f"variances: {taken.file}: records of {trait} had their weights in column {there}; here in {here}"
        size, own = taken.terms.deviations.get(trait, 0.0), terms.deviations[trait]
        if min(size, own) > 0 and max(size, own) / min(size, own) >= OTHER_UNITS:
            yield (
                f"variances: {taken.file}: {trait} had a standard deviation of {size:.4g} where they were estimated, and has "
                f"{own:.4g} here. Look whether its units are the same."
            )


def refuse_other_classes(config: EvaluationConfig, file: str, residual: ResidualCovariance) -> None:
    """Refuse to go on from estimates whose residual has other classes than the configuration asks for.

    Parameters
    ----------
    config
        As it was written.
    residual
        Of the file.

    Raises
    ------
    VarianceError
        Naming both.
    """
    section = config.variances.get("residual")
    if (isinstance(section, Mapping) and "file" in section) or (section is None and has_file(config.variances, config.spec)):
        return
    by = section.get("by") if isinstance(section, Mapping) else None
    bounds = section.get("up_to") if isinstance(section, Mapping) else None
    up_to = tuple(float(bound) for bound in bounds or ())
    if (by, up_to) == (residual.by, residual.up_to):
        return
    text = (
        f"{file} has {_classes(residual.by, residual.up_to)}; this configuration has {_classes(by, up_to)}. Write the same "
        "under variances.residual, or start without that file."
    )
    raise VarianceError(f"{config.where(('variances', 'residual'))}: variances.residual: {text}")


def _classes(by: object, up_to: tuple[float, ...]) -> str:
    if by is None:
        return "one residual variance for all records"
    return f"residual variances by {by}" + (f" up to {', '.join(f'{bound:g}' for bound in up_to)}" if up_to else "")
