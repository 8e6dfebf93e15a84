"""Random terms of a formula: what their levels are, what they are multiplied by, how the levels are related."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from breedeval.model.formula_calls import RANDOM_KINDS, CallReader
from breedeval.model.spec import SOCIAL, Covariable, RandomKind, RandomTerm
from breedeval.model.tokens import Token, fault

#: Written in the place of the column of ``genetic()``.
SIRE_MGS = "sire_mgs"


@dataclass
class _Arguments:
    """What stands behind the column of a random term, as it is read."""

    covariable: Covariable | None = None
    slopes: list[Covariable] = field(default_factory=list)
    intercept: bool = True
    relationship: str | None = None


class RandomReader(CallReader):
    """Reads names, functions of covariates, and random terms."""

    @property
    def at_random_term(self) -> bool:
        """Whether a random term begins here."""
        return self.token.text in (*RANDOM_KINDS, SOCIAL) and not self.token.quoted and self.peek().is_sign("(")

    def read_random(self) -> list[RandomTerm]:
        """Read a random term; ``random(a/b)`` is ``random(a) + random(a:b)``.

        Raises
        ------
        FormulaError
            If it cannot be read on.
        """
        name = self.advance().text
        bracket = self.advance()
        if name == SOCIAL:
            return [self._social(bracket)]
        kind = cast(RandomKind, name)
        usage = f"{kind}(x), with one column, or {kind}(x, legendre(z, 2))"
        by_sire_mgs = kind == "genetic" and self.token.text == SIRE_MGS and self.peek().is_sign("(")
        targets = [self._sire_mgs()] if by_sire_mgs else self._targets(kind, usage)
        arguments = _Arguments()
        while self.token.is_sign(","):
            self.advance()
            self._argument(kind, targets, arguments)
        self._close(bracket, usage)
        return [
            RandomTerm(
                kind,
                ":".join(columns),
                arguments.covariable,
                tuple(arguments.slopes),
                arguments.intercept,
                columns if len(columns) > 1 else (),
                arguments.relationship,
                by_sire_mgs,
            )
            for columns in targets
        ]

    def _social(self, bracket: Token) -> RandomTerm:
        """Read the arguments of ``social(id, pen)`` or ``social(id, pen, 0.5)``."""
        usage = "social(id, pen), or social(id, pen, d) with d from 0 to 1 for a dilution in large pens"
        animal = self._class_column(SOCIAL, usage)
        if not self.token.is_sign(","):
            raise fault(f"The column of the pen is missing here. Write {usage}.", self.token.start, self.token.end)
        self.advance()
        pen = self._class_column(SOCIAL, usage)
        if pen == animal:
            self._problem(f"'{pen}' is the column of the animal; a column of pens is needed.", self.last)
        dilution = 0.0
        if self.token.is_sign(","):
            self.advance()
            dilution, token = self._signed_number(usage)
            if not 0.0 <= dilution <= 1.0:
                self._problem("The dilution is a number from 0 (none) to 1 (the mean of the pen mates).", token)
        self._close(bracket, usage)
        return RandomTerm("genetic", animal, pen=pen, dilution=dilution)

    def _sire_mgs(self) -> tuple[str, ...]:
        self.advance()
        bracket = self.advance()
        column = self._class_column("genetic", "sire_mgs(id), with the column of the animal")
        self._close(bracket, "genetic(sire_mgs(id))")
        return (column,)

    def _targets(self, kind: RandomKind, usage: str) -> list[tuple[str, ...]]:
        """Columns of each term: one, or combined by ``:`` and ``/`` in ``random()``."""
        targets = [self._crossed(kind, usage)]
        while kind == "random" and self.token.is_sign("/"):
            self.advance()
            more = self._crossed(kind, usage)
            targets.append((*targets[-1], *(column for column in more if column not in targets[-1])))
        if kind == "random" and self.token.is_sign("*"):
            message = "Write the terms that are meant: random(a) + random(b) + random(a:b)."
            raise fault(message, self.token.start, self.token.end)
        return list(dict.fromkeys(targets))

    def _crossed(self, kind: RandomKind, usage: str) -> tuple[str, ...]:
        columns = [self._class_column(kind, usage)]
        while kind == "random" and self.token.is_sign(":"):
            self.advance()
            columns.append(self._class_column(kind, usage))
        return tuple(dict.fromkeys(columns))

    def _class_column(self, kind: str, usage: str) -> str:
        column = self._column(usage)
        if column.text in self.covariates:
            self._problem(
                f"'{column.text}' is declared as a covariate, {kind}(...) needs a class. Remove it from records: covariates.",
                column,
            )
        elif column.text == self.trait:
            self._problem(f"'{column.text}' is the trait itself, {kind}(...) needs a class.", column)
        return column.text

    def _argument(self, kind: RandomKind, targets: list[tuple[str, ...]], arguments: _Arguments) -> None:
        """Read one argument behind the column."""
        begin = self.token
        if begin.kind == "relationship":
            self.advance()
            self._relationship(begin, kind, targets, arguments)
            return
        if begin.kind == "number" and begin.text in ("0", "1") and self.peek().is_sign("+"):
            arguments.intercept = begin.text == "1"
            self.advance()
            self.advance()
        if kind == "genetic" and not arguments.intercept:
            message = "Genetic effects have one covariance matrix: write genetic(id, slope(x)), and zeros in it if meant."
            self.problems.append(fault(message, begin.start, begin.end))
        self._regressor(begin, arguments)
        while self.token.is_sign("+"):
            self.advance()
            self._regressor(begin, arguments)

    def _regressor(self, begin: Token, arguments: _Arguments) -> None:
        covariable, slope = self._regression()
        if slope is not None:
            if slope in arguments.slopes:
                self.problems.append(fault(f"slope({slope.text}) stands twice.", begin.start, self.last.end))
            arguments.slopes.append(slope)
        if covariable is not None and arguments.covariable is not None:
            message = "A random term has one curve: legendre(...) or a spline. Keep one of them."
            self.problems.append(fault(message, begin.start, self.last.end))
        arguments.covariable = covariable or arguments.covariable
        if arguments.covariable is not None and (arguments.slopes or not arguments.intercept):
            message = "A curve such as legendre(...) stands alone: it has its own intercept. Slopes belong into another term."
            self.problems.append(fault(message, begin.start, self.last.end))

    def _relationship(self, token: Token, kind: RandomKind, targets: list[tuple[str, ...]], arguments: _Arguments) -> None:
        if kind != "random":
            why = "that of genetic(x) and dominance(x) comes from the pedigree" if kind != "permanent" else "write random(x)"
            self._problem(f"A relationship is given to random(x) only; {why}.", token)
        elif len(targets) > 1 or len(targets[0]) > 1:
            self._problem("A relationship is between the levels of one column; these are combined.", token)
        elif arguments.relationship is not None:
            self._problem("Two relationships stand in one term. Keep one of them.", token)
        arguments.relationship = token.text


def overlap(earlier: RandomTerm, later: RandomTerm) -> str | None:
    """Say what two random terms of one trait have twice; None if each has its own place.

    Slopes without intercept, ``random(herd, 0 + slope(x))``, stand beside ``random(herd)`` as effects of their own.
    """
    if (earlier.kind, earlier.label, earlier.relationship) != (later.kind, later.label, later.relationship):
        return None
    if earlier == later:
        return f"{later.name} stands twice"
    if (earlier.intercept and later.intercept) or set(earlier.slopes) & set(later.slopes):
        return f"{earlier.name} and {later.name} overlap"
    return None
