"""Checks of a configuration that look at several sections at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from breedeval.evaluation.config_problems import ConfigProblem
from breedeval.evaluation.config_sections import LongSection, RecordsSection, RelationshipSection
from breedeval.evaluation.config_values import expand_path
from breedeval.model.covariance import assign_variance_keys, random_blocks
from breedeval.model.spec import ModelSpec
from breedeval.model.weights import weight_columns
from breedeval.nearest import did_you_mean


def check_records(records: RecordsSection, traits: tuple[str, ...]) -> Iterator[ConfigProblem]:
    """Find columns that are declared twice, or as something they cannot be."""
    for key, names in (("classes", records.classes), ("covariates", records.covariates)):
        for name, count in Counter(names).items():
            if count > 1:
                yield ConfigProblem(("records", key), f"'{name}' stands {count} times. Keep one.")
    for name in records.classes:
        if name in records.covariates:
            message = f"'{name}' is declared as a class and as a covariate. Keep one of them."
            yield ConfigProblem(("records", "covariates"), message)
        if name in traits:
            message = f"'{name}' is a trait, its values are numbers. Remove it from classes."
            yield ConfigProblem(("records", "classes"), message)
    for name in weight_columns(records.weight):
        if name in records.classes:
            message = f"'{name}' is declared as a class; weights are numbers. Remove it from classes."
            yield ConfigProblem(("records", "weight"), message)
    if not isinstance(records.weight, str):
        for trait in records.weight or ():
            if trait not in traits:
                message = f"'{trait}' is no trait of the model.{did_you_mean(trait, traits)} Traits are {', '.join(traits)}."
                yield ConfigProblem(("records", "weight", trait), message)
    if records.long is not None:
        yield from _check_long(records, records.long)


def _check_long(records: RecordsSection, long: LongSection) -> Iterator[ConfigProblem]:
    for key, name in (("value", long.value), ("trait", long.trait)):
        declared = records.classes if key == "value" else records.covariates
        if name in declared:
            what = "a class; values are numbers" if key == "value" else "a covariate; traits have names"
            yield ConfigProblem(("records", "long", key), f"'{name}' is declared as {what}. Remove it there.")
    for name in long.record:
        if name in records.covariates:
            message = f"'{name}' is declared as a covariate; the key of a record is made of names. Remove it from covariates."
            yield ConfigProblem(("records", "long", "record"), message)


def index_notes(index: Mapping[str, Mapping[str, float]], traits: tuple[str, ...]) -> Iterator[str]:
    """Say which indices weight traits that this model does not have; such an index cannot be ranked from this run alone."""
    for name, weights in index.items():
        for trait in weights:
            if trait not in traits:
                hint = did_you_mean(trait, traits)
                what = f"The index {name} weights '{trait}', which is no trait of this model.{hint}"
                yield f"{what} It cannot be ranked from this run."


def check_spec(spec: ModelSpec, records: RecordsSection, sections: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find sections and columns that the model needs and the configuration lacks."""
    pedigree = sections.get("pedigree")
    genetic = [term.name for model in spec.traits for term in model.random if term.kind in ("genetic", "dominance")]
    if genetic and pedigree is None:
        yield ConfigProblem((), f"the section 'pedigree' is missing, which {genetic[0]} needs. Add it.")
    years = ((sections.get("base") or {}).get("animals") or {}).get("birth_year")
    if years is not None and not {"birth_year", "birth_date"} & set(pedigree or {}):
        message = "years of birth are not known. Name their column under pedigree: birth_year or birth_date."
        yield ConfigProblem(("base", "animals", "birth_year"), message)
    yield from _check_phantom_dams(spec, records, pedigree)
    if records.columns is None:
        return
    by = _residual_column(sections.get("variances"))
    needed = [*spec.class_columns(), *spec.number_columns(), *weight_columns(records.weight), *([by] if by else [])]
    if records.long is not None:
        needed = [name for name in needed if name not in spec.trait_names]
        needed += [records.long.trait, records.long.value, *records.long.record]
    for name in dict.fromkeys(needed):
        if name not in records.columns:
            hint = did_you_mean(name, records.columns)
            yield ConfigProblem(("records", "columns"), f"the column of '{name}' is missing.{hint} Add its number.")


def _check_phantom_dams(spec: ModelSpec, records: RecordsSection, pedigree: Any) -> Iterator[ConfigProblem]:
    section = records.phantom_dams
    if section is None:
        return
    genetic = {term.column for model in spec.traits for term in model.random if term.kind == "genetic"}
    any_random = {term.column for model in spec.traits for term in model.random}
    if section.animal not in genetic:
        message = f"'{section.animal}' stands in no genetic() of the model. Name the column of the animal."
        yield ConfigProblem(("records", "phantom_dams", "animal"), message)
    if section.dam not in any_random or section.dam == section.animal:
        message = f"'{section.dam}' stands in no term of the model as a dam. Name the column of genetic(dam) or permanent(dam)."
        yield ConfigProblem(("records", "phantom_dams", "dam"), message)
    if isinstance(pedigree, Mapping) and pedigree.get("groups") not in (None, "none"):
        message = (
            "unknown dams cannot be of a group and animals of their own. Give the dams names and groups in the pedigree file."
        )
        yield ConfigProblem(("records", "phantom_dams"), message)


def check_sire_mgs(spec: ModelSpec, sections: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find models where sires and maternal grandsires stand beside animals, or in groups."""
    terms = dict.fromkeys(term for model in spec.traits for term in model.random if term.kind in ("genetic", "dominance"))
    by_sire = [term for term in terms if term.by_sire_mgs]
    if not by_sire:
        return
    others = [term.name for term in terms if not term.by_sire_mgs]
    if others:
        message = (
            f"{by_sire[0].name} is a model of sires; {others[0]} is one of animals. All genetic terms must be of one kind."
        )
        yield ConfigProblem(("model",), message)
    groups = (sections.get("pedigree") or {}).get("groups")
    if groups is not None and groups != "none":
        message = f"{by_sire[0].name} knows no groups of unknown parents. Write groups: none, or an animal model."
        yield ConfigProblem(("pedigree", "groups"), message)


def check_relationships(spec: ModelSpec, sections: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find relationships that are declared and used by no term."""
    used = {term.relationship for model in spec.traits for term in model.random}
    for name in sections.get("relationships") or {}:
        if name not in used:
            hint = did_you_mean(name, [text for text in used if text is not None])
            message = f'no term uses it.{hint} Write random(x, relationship = "{name}") in the model, or remove it.'
            yield ConfigProblem(("relationships", name), message)


def named_relationships(
    declared: Mapping[str, RelationshipSection], spec: ModelSpec, folder: Path
) -> dict[str, RelationshipSection]:
    """The relationship behind each name in the formulas: as declared, else the name is that of a file with the matrix."""
    used = dict.fromkeys(term.relationship for model in spec.traits for term in model.random if term.relationship is not None)
    found = {}
    for name in used:
        if name in declared:
            found[name] = declared[name]
        else:
            found[name] = RelationshipSection(file=expand_path(name, folder))
    return found


def check_variances(
    variances: Mapping[str, Any], spec: ModelSpec, records: RecordsSection, *, partial: bool = False
) -> Iterator[ConfigProblem]:
    """Find (co)variances that are missing (unless `partial`), or belong to no term; a file may have what is not written."""
    blocks = random_blocks(spec)
    from_file = has_file(variances, spec)
    written = {key: value for key, value in variances.items() if not (from_file and key == "file")}
    _, problems = assign_variance_keys(written, blocks, spec.trait_names, partial=partial or from_file)
    for path, message in problems:
        yield ConfigProblem(("variances", *path), message)
    for key, value in [*written.items(), *([("file", {"file": variances["file"]})] if from_file else [])]:
        if isinstance(value, Mapping) and "file" in value:
            path = ("variances", key) if key == "file" else ("variances", key, "file")
            if not isinstance(value["file"], str):
                yield ConfigProblem(path, "the name of a file with estimated variances is needed.")
            elif len(value) > 1:
                yield ConfigProblem(("variances", key), "beside file nothing else can stand here. Remove one of them.")
    by = _residual_column(variances)
    if by is None:
        return
    if "up_to" in variances["residual"]:
        if by in spec.class_columns() or by in records.classes:
            message = f"'{by}' is a column of classes; up_to cuts a covariate into intervals. Leave out up_to."
            yield ConfigProblem(("variances", "residual", "by"), message)
    elif by in records.covariates or by in spec.trait_names:
        message = f"'{by}' is a column of numbers; a class is needed here. Cut it into intervals by up_to: [35, 100]."
        yield ConfigProblem(("variances", "residual", "by"), message)


def has_file(variances: Mapping[str, Any], spec: ModelSpec) -> bool:
    """Whether the section names a file for everything that it does not write itself."""
    return "file" in variances and not any("file" in block.keys for block in random_blocks(spec))


def _residual_column(variances: object) -> str | None:
    residual = variances.get("residual") if isinstance(variances, Mapping) else None
    by = residual.get("by") if isinstance(residual, Mapping) else None
    return by if isinstance(by, str) else None
