"""The parts of a formula with a name: columns, functions of covariates and random terms."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import pairwise
from typing import NoReturn, cast, get_args

from breedeval.errors import FormulaError
from breedeval.model.spec import CUBIC, SOCIAL, Covariable, Function, KnotPlacing, RandomKind
from breedeval.model.tokens import Token, fault
from breedeval.nearest import did_you_mean

RANDOM_KINDS: tuple[str, ...] = get_args(RandomKind)
FUNCTIONS: tuple[str, ...] = tuple(name for name in get_args(Function) if name != "identity")

#: Smallest and largest second argument of the functions that have one.
_DEGREES = {"poly": (1, 20), "legendre": (0, 20), "spline": (2, 100), "bspline": (2, 100), "degree": (1, 9)}
_USAGE = {
    "poly": "poly(x, 2)",
    "legendre": "legendre(x, 2) or legendre(x, 2, low, high)",
    "spline": "spline(x, 5), spline(x, 5, low, high), spline(x, quantiles(5)) or spline(x, knots(low, ..., high))",
    "bspline": "bspline(x, 6) or bspline(x, 6, low, high), with quantiles(6) or knots(low, ..., high) instead of 6, "
    "and degree(2) behind",
}
_SPLINES = ("spline", "bspline")
_FOREIGN = {"factor", "as.factor", "C", "c", "I", "ped", "us", "diag", "at"}


class CallReader:
    """Walks along the tokens and reads names and calls; problems that do not stop the reading are collected."""

    def __init__(
        self,
        trait: str,
        tokens: list[Token],
        classes: Collection[str],
        covariates: Collection[str],
        problems: list[FormulaError],
    ) -> None:
        self.trait = trait
        self.tokens = tokens
        self.classes = classes
        self.covariates = covariates
        self.problems = problems
        self._place = 0

    @property
    def token(self) -> Token:
        """The next token, not read yet."""
        return self.tokens[self._place]

    @property
    def at_end(self) -> bool:
        """Whether every token has been read."""
        return self.token.kind == "end"

    @property
    def last(self) -> Token:
        """The token read last."""
        return self.tokens[max(self._place - 1, 0)]

    def peek(self) -> Token:
        """Return the token behind the next one."""
        return self.tokens[min(self._place + 1, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Read a token."""
        token = self.token
        self._place = min(self._place + 1, len(self.tokens) - 1)
        return token

    def column_factor(self) -> str | Covariable | None:
        """Read a bare name: a class or a covariate; None if it is neither (a problem is noted)."""
        token = self.advance()
        if token.text in self.classes:
            return token.text
        if token.text in self.covariates:
            return Covariable(token.text)
        self._undeclared(token)
        return None

    def read(self) -> Covariable | None:
        """Read a call: a function of a covariate; None if it cannot be used (a problem is noted)."""
        name = self.advance()
        bracket = self.advance()
        if name.text in FUNCTIONS:
            return self._covariable(name, bracket)
        return self._unknown_call(name)

    def _problem(self, message: str, token: Token) -> None:
        self.problems.append(fault(message, token.start, token.end))

    def _undeclared(self, token: Token) -> None:
        if token.text == self.trait:
            self._problem(f"'{token.text}' is the trait itself and cannot explain it. Remove it.", token)
            return
        known = [*self.classes, *self.covariates]
        hint = did_you_mean(token.text, known)
        if token.text in (*RANDOM_KINDS, *FUNCTIONS):
            hint = f" As a term it is written {token.text}(x)."
        self._problem(
            f"'{token.text}' is declared neither as a class nor as a covariate.{hint} "
            "Declare it under records: classes (names) or covariates (numbers).",
            token,
        )

    def _unknown_call(self, name: Token) -> NoReturn:
        if name.text == "sire_mgs":
            raise fault("sire_mgs(x) stands within genetic(): genetic(sire_mgs(id)).", name.start, name.end)
        if name.text == "slope":
            raise fault("slope(x) stands within a random term: random(herd, slope(x)).", name.start, name.end)
        if name.text in _FOREIGN:
            hint = " Columns are declared under records: classes or covariates; here they stand by their names."
        else:
            hint = did_you_mean(name.text, [*RANDOM_KINDS, SOCIAL, *FUNCTIONS, "slope"])
        known = ", ".join([*RANDOM_KINDS, SOCIAL, *FUNCTIONS])
        raise fault(f"There is no function '{name.text}'.{hint} Known are {known}.", name.start, name.end)

    def _close(self, bracket: Token, usage: str) -> None:
        if self.token.is_sign(")"):
            self.advance()
            return
        if self.token.kind == "end":
            raise fault("This bracket is not closed.", bracket.start, bracket.end)
        raise fault(f"This cannot stand here. Write {usage}.", self.token.start, self.token.end)

    def _column(self, usage: str) -> Token:
        if self.token.kind != "name":
            raise fault(f"The name of a column is missing here. Write {usage}.", self.token.start, self.token.end)
        token = self.advance()
        if self.token.is_sign("("):
            raise fault("Functions cannot stand in one another. Write a column here.", token.start, self.token.end)
        return token

    def _regression(self) -> tuple[Covariable | None, Covariable | None]:
        """Read the second argument of a random term: ``legendre(...)``, a spline or ``slope(...)``."""
        name = self.token
        if (
            name.kind != "name"
            or name.quoted
            or not self.peek().is_sign("(")
            or name.text not in ("legendre", *_SPLINES, "slope")
        ):
            raise fault(
                "The second argument of a random term is legendre(x, 2), spline(x, 5), bspline(x, 6) or slope(x).",
                name.start,
                name.end,
            )
        self.advance()
        bracket = self.advance()
        if name.text != "slope":
            return self._covariable(name, bracket), None
        if self.token.kind == "name" and self.peek().is_sign("(") and self.token.text in ("log", "sqrt", "center", "poly"):
            inner = self.advance()
            slope = self._covariable(inner, self.advance())
        else:
            slope = Covariable(self._covariate("slope", usage="slope(x)"))
        self._close(bracket, "slope(x)")
        return None, slope

    def _covariable(self, name: Token, bracket: Token) -> Covariable:
        usage = _USAGE.get(name.text, f"{name.text}(x)")
        column = self._covariate(name.text, usage)
        if name.text in _SPLINES:
            return self._spline(name, bracket, column, usage)
        numbers = self._numbers(usage)
        self._close(bracket, usage)
        allowed = {"legendre": (1, 3), "poly": (1,)}.get(name.text, (0,))
        if len(numbers) not in allowed:
            raise fault(f"{name.text} has another number of arguments. Write {usage}.", name.start, self.last.end)
        degree = self._degree(name.text, *numbers[0]) if numbers else 1
        low, high = self._range(numbers[1:])
        return Covariable(column, cast(Function, name.text), degree, low, high)

    def _numbers(self, usage: str) -> list[tuple[float, Token]]:
        """Read ``, 2, 5`` up to what is no number."""
        numbers = []
        while self.token.is_sign(",") and self.peek().kind != "name":
            self.advance()
            numbers.append(self._signed_number(usage))
        return numbers

    def _range(self, numbers: list[tuple[float, Token]]) -> tuple[float | None, float | None]:
        """Low and high, or nothing."""
        if not numbers:
            return None, None
        (low, first), (high, last) = numbers
        if not low < high:
            self.problems.append(fault("The range has no width: low must be below high.", first.start, last.end))
        return low, high

    def _spline(self, name: Token, bracket: Token, column: str, usage: str) -> Covariable:
        """Read the arguments of ``spline`` or ``bspline`` behind the column."""
        wrong = f"{name.text} has another number of arguments. Write {usage}."
        placing: KnotPlacing = "equidistant"
        listed: list[tuple[float, Token]] = []
        if self.token.is_sign(",") and self.peek().text in ("knots", "quantiles"):
            self.advance()
            placing = "given" if self.token.text == "knots" else "quantiles"
            listed = self._option(usage)
        numbers = self._numbers(usage)
        pieces = CUBIC
        if name.text == "bspline" and self.token.is_sign(",") and self.peek().text == "degree":
            self.advance()
            option = self._option(usage)
            if len(option) != 1:
                raise fault(wrong, name.start, self.last.end)
            pieces = self._degree("degree", *option[0])
        self._close(bracket, usage)
        if placing == "equidistant":
            listed, numbers = numbers[:1], numbers[1:]
        if not listed or len(numbers) not in ((0,) if placing == "given" else (0, 2)):
            raise fault(wrong, name.start, self.last.end)
        knots = self._knots(listed) if placing == "given" else ()
        count = len(knots) + pieces - 1 if name.text == "bspline" else len(knots)
        if placing != "given":
            if len(listed) != 1:
                raise fault(wrong, name.start, self.last.end)
            count = self._degree(name.text, *listed[0])
            if name.text == "bspline" and count <= pieces:
                self._problem(f"B-splines of degree {pieces} have at least {pieces + 1} coefficients.", listed[0][1])
        low, high = self._range(numbers)
        return Covariable(column, cast(Function, name.text), count, low, high, placing, knots, pieces)

    def _option(self, usage: str) -> list[tuple[float, Token]]:
        """Read ``knots(5, 60, 305)``, ``quantiles(5)`` or ``degree(2)``."""
        self.advance()
        if not self.token.is_sign("("):
            raise fault(f"A bracket is missing here. Write {usage}.", self.token.start, self.token.end)
        bracket = self.advance()
        numbers = [self._signed_number(usage), *self._numbers(usage)]
        self._close(bracket, usage)
        return numbers

    def _knots(self, listed: list[tuple[float, Token]]) -> tuple[float, ...]:
        knots = tuple(value for value, _ in listed)
        if len(knots) < 2 or any(b <= a for a, b in pairwise(knots)):
            message = "Knots are two or more, ascending; the first and the last are the ends of the range."
            self.problems.append(fault(message, listed[0][1].start, listed[-1][1].end))
        return knots

    def _covariate(self, function: str, usage: str) -> str:
        column = self._column(usage)
        if column.text in self.classes:
            self._problem(
                f"'{column.text}' is declared as a class, {function}(...) needs a covariate. Declare it under "
                "records: covariates, if its values are numbers.",
                column,
            )
        elif column.text not in self.covariates:
            hint = did_you_mean(column.text, self.covariates)
            self._problem(
                f"'{column.text}' is not declared as a covariate.{hint} Declare it under records: covariates.", column
            )
        return column.text

    def _signed_number(self, usage: str) -> tuple[float, Token]:
        negative = self.token.is_sign("-")
        if negative:
            self.advance()
        token = self.token
        if token.kind != "number" or math.isinf(float(token.text)):
            raise fault(f"A number is missing here. Write {usage}.", token.start, token.end)
        self.advance()
        return (-float(token.text) if negative else float(token.text)), token

    def _degree(self, function: str, value: float, token: Token) -> int:
        low, high = _DEGREES[function]
        if not (value.is_integer() and low <= value <= high):
            self._problem(f"{function} takes a whole number from {low} to {high} here.", token)
            return low
        return int(value)
