"""Formulas: the right-hand side of a model in Wilkinson's notation, turned into terms.

Source: G. N. Wilkinson and C. E. Rogers (1973), Symbolic description of factorial models for analysis of variance, Applied
Statistics 22: 392-399, for ``+``, ``:``, ``*`` and ``/`` (there ``.`` is what is ``:`` here).
"""

from __future__ import annotations

from collections.abc import Collection

from breedeval.errors import FormulaError, count_of
from breedeval.model.random_calls import RandomReader, overlap
from breedeval.model.spec import Covariable, FixedTerm, RandomTerm, TraitModel
from breedeval.model.tokens import Token, fault, pointed, tokenize

#: Factors of one fixed term in the order written: a class by its name, a covariate as `Covariable`. None: the overall mean.
Product = tuple[str | Covariable, ...]
Item = Product | RandomTerm

#: A formula is refused where ``*`` makes more terms than this, or brackets stand deeper.
MOST_TERMS = 10_000
DEEPEST = 50


def parse_formula(
    trait: str, text: str, *, classes: Collection[str], covariates: Collection[str], where: str = ""
) -> TraitModel:
    """Read the formula of one trait.

    ``a:b`` of two classes are their observed combinations, ``class:covariate`` a regression within classes, of two covariates
    their product. ``a*b`` is ``a + b + a:b``, ``a/b`` is ``a + a:b``. The overall mean is implied and comes first; ``0 +`` or
    ``- 1`` removes it. A fixed term that stands twice counts once. Random terms are ``genetic(x)``, ``permanent(x)`` and
    ``random(x)``, where column x is a class without being declared, with ``legendre(...)``, ``spline(...)``, ``bspline(...)``
    or ``slope(x)`` as further arguments for random regressions; see `breedeval.model.random_calls`.

    Parameters
    ----------
    trait
        Name of the trait.
    text
        The formula.
    classes, covariates
        Names of the columns declared as classes and as covariates.
    where
        File and line of the formula, for later messages.

    Raises
    ------
    FormulaError
        With every problem found, each with the place in the text.

    Examples
    --------
    >>> model = parse_formula("milk", "herd*lactation + lactation:dim + genetic(id)", classes=["herd", "lactation"],
    ...     covariates=["dim"])
    >>> [term.name for term in model.fixed]
    ['intercept', 'herd', 'lactation', 'herd:lactation', 'lactation:dim']
    >>> [term.name for term in model.random]
    ['genetic(id)']
    """
    problems: list[FormulaError] = []
    try:
        reader = _FormulaReader(trait, tokenize(text), classes, covariates, problems)
        items = reader.read()
    except FormulaError as error:  # the text cannot be read beyond this place
        problems.append(error)
    if problems:
        raise _all_problems(trait, text, problems)
    fixed = dict.fromkeys([FixedTerm()] if reader.intercept else [])
    found = {_identity(term) for term in fixed}
    for item in items:
        if isinstance(item, RandomTerm) or not item:
            continue
        term = _fixed_term(item)
        if _identity(term) not in found:
            found.add(_identity(term))
            fixed[term] = None
    random = tuple(item for item in items if isinstance(item, RandomTerm))
    return TraitModel(trait, tuple(fixed), random, text, where, reader.places)


def _fixed_term(item: Product) -> FixedTerm:
    return FixedTerm(
        tuple(factor for factor in item if isinstance(factor, str)),
        tuple(factor for factor in item if isinstance(factor, Covariable)),
    )


def _distinct(items: list[Item]) -> list[Item]:
    """Drop products that stood before, whatever the order of their factors."""
    found: dict[object, Item] = {}
    for item in items:
        found.setdefault(item if isinstance(item, RandomTerm) else frozenset(item), item)
    return list(found.values())


def _identity(term: FixedTerm) -> tuple[frozenset[str], frozenset[Covariable]]:
    return frozenset(term.classes), frozenset(term.covariables)


def _all_problems(trait: str, text: str, problems: list[FormulaError]) -> FormulaError:
    ordered = sorted(problems, key=lambda problem: int(problem.facts["position"]))
    parts = [f"{p.message}\n{pointed(text, p.facts['position'], p.facts['end'])}" for p in ordered]
    if len(parts) == 1:
        message = f"Formula of {trait}: {parts[0]}"
    else:
        message = f"Formula of {trait}: {count_of(len(parts), 'problem')}.\n" + "\n".join(parts)
    return FormulaError(message, formula=text, trait=trait, position=ordered[0].facts["position"])


class _FormulaReader:
    """Recursive descent: sum > crossing (``*`` and ``/``) > interaction (``:``) > factor."""

    def __init__(
        self,
        trait: str,
        tokens: list[Token],
        classes: Collection[str],
        covariates: Collection[str],
        problems: list[FormulaError],
    ) -> None:
        self.problems = problems
        self.intercept = True
        self.places: dict[str, tuple[int, int]] = {}
        self.calls = RandomReader(trait, tokens, classes, covariates, problems)
        self._mean_written: Token | None = None
        self._mean_removed: Token | None = None
        self._random_seen: list[RandomTerm] = []

    def read(self) -> list[Item]:
        if self.calls.at_end:
            raise fault("The formula is empty. Write at least 1, the overall mean.", 0, 1)
        items = self._sum(depth=0)
        if not self.calls.at_end:
            self._unexpected()
        if self._mean_written and self._mean_removed:
            later = max(self._mean_written, self._mean_removed, key=lambda token: token.start)
            self._problem("The overall mean is both written and removed. Leave out one of the two.", later.start, later.end)
        self.intercept = self._mean_removed is None
        if not items and not self.intercept and not self.problems:
            raise fault("The formula has no term. Write at least 1, the overall mean.", 0, 1)
        return items

    def _problem(self, message: str, start: int, end: int) -> None:
        self.problems.append(fault(message, start, end))

    def _unexpected(self) -> None:
        token = self.calls.token
        if token.is_sign(")"):
            raise fault("This bracket closes none that is open. Remove it.", token.start, token.end)
        if token.is_sign(","):
            raise fault("A comma stands only between the arguments of a call. Terms are joined by +.", token.start, token.end)
        if token.is_sign("("):
            raise fault("A bracket cannot stand here. Join terms by + or :.", token.start, token.end)
        raise fault(f"A sign is missing before '{token.text}'. Write + or : between terms.", token.start, token.end)

    def _sum(self, depth: int) -> list[Item]:
        items = [] if self._removes_mean(depth) else self._crossing(depth)
        while self.calls.token.is_sign("+-"):
            if self.calls.token.is_sign("-"):
                self._removes_mean(depth)
                continue
            self.calls.advance()
            if not self._removes_mean(depth):
                items += self._crossing(depth)
        return items

    def _removes_mean(self, depth: int) -> bool:
        """Read ``0`` or ``- 1``, if it stands here."""
        first, second = self.calls.token, self.calls.peek()
        minus = first.is_sign("-")
        if not minus and not (first.kind == "number" and first.text == "0" and (second.kind == "end" or second.is_sign("+-)"))):
            return False
        if minus and not (second.kind == "number" and second.text == "1"):
            raise fault("Only - 1, which removes the overall mean, can be subtracted.", first.start, second.end)
        if depth:
            self._problem("The overall mean is removed outside of brackets only.", first.start, first.end)
        self._mean_removed = first
        self.calls.advance()
        if minus:
            self.calls.advance()
        return True

    def _crossing(self, depth: int) -> list[Item]:
        begin = self.calls.token.start
        items = self._crossed(depth, begin)
        for item in items:  # terms that * or / made share the place of all
            name = item.name if isinstance(item, RandomTerm) else _fixed_term(item).name
            self.places.setdefault(name, (begin, self.calls.last.end))
        return items

    def _crossed(self, depth: int, begin: int) -> list[Item]:
        left = self._interaction(depth)
        while self.calls.token.is_sign("*/"):
            sign = self.calls.advance()
            right = self._interaction(depth)
            nest = [self._joined(left, begin)] if sign.text == "/" else left
            combined = self._combine(nest, right, begin, sign)
            expanded = [*left, *combined] if sign.text == "/" else [*left, *right, *combined]
            left = sorted(_distinct(expanded), key=lambda item: 0 if isinstance(item, RandomTerm) else len(item))
        return left

    def _joined(self, items: list[Item], begin: int) -> Item:
        """Return the product of all: in (a + b)/c, c is within the combinations of a and b."""
        factors: Product = ()
        for item in items:
            if isinstance(item, RandomTerm):
                return item
            factors = self._multiply(factors, item, begin)
        return factors

    def _interaction(self, depth: int) -> list[Item]:
        begin = self.calls.token.start
        left = self._factor(depth)
        while self.calls.token.is_sign(":"):
            sign = self.calls.advance()
            left = self._combine(left, self._factor(depth), begin, sign)
        return left

    def _combine(self, left: list[Item], right: list[Item], begin: int, sign: Token) -> list[Item]:
        products: list[Item] = []
        if len(left) * len(right) > MOST_TERMS:
            raise fault(f"This expands to more than {MOST_TERMS:,} terms. Write the terms that are meant.", begin, sign.end)
        for one in left:
            for other in right:
                if isinstance(one, RandomTerm) or isinstance(other, RandomTerm):
                    self._random_in_product(one if isinstance(one, RandomTerm) else other, sign)
                    return []
                products.append(self._multiply(one, other, begin))
        return products

    def _random_in_product(self, term: object, sign: Token) -> None:
        name = term.name if isinstance(term, RandomTerm) else term
        self._problem(
            f"The random term {name} cannot be joined by '{sign.text}'. Add it with +; a random regression is written "
            "genetic(id, legendre(x, 2)) or random(herd, slope(x)).",
            sign.start,
            sign.end,
        )

    def _multiply(self, one: Product, other: Product, begin: int) -> Product:
        product = list(one)
        for factor in other:
            if factor not in product:
                product.append(factor)
            elif isinstance(factor, Covariable):
                # in the notation x:x is x; who writes it means the square
                end = self.calls.last.end
                self._problem(f"{factor.text} stands twice in a product. The square is written poly(x, 2).", begin, end)
        return tuple(product)

    def _factor(self, depth: int) -> list[Item]:
        token = self.calls.token
        if token.is_sign("("):
            if depth == DEEPEST:
                raise fault(f"More than {DEEPEST} brackets stand within one another.", token.start, token.end)
            self.calls.advance()
            items = self._sum(depth + 1)
            if not self.calls.token.is_sign(")"):
                if self.calls.at_end:
                    raise fault("This bracket is not closed.", token.start, token.end)
                self._unexpected()
            self.calls.advance()
            return items
        if token.kind == "number":
            return self._number(depth)
        if token.kind != "name":
            raise fault("A term is missing here.", token.start, token.end)
        if self.calls.peek().is_sign("(") and not token.quoted:
            return self._call()
        factor = self.calls.column_factor()
        return [] if factor is None else [(factor,)]

    def _number(self, depth: int) -> list[Item]:
        token = self.calls.advance()
        if token.text != "1":
            hint = f" A column of that name is written `{token.text}`."
            self._problem(
                f"{token.text} has no meaning here; 1 is the overall mean, 0 + removes it.{hint}", token.start, token.end
            )
        elif depth == 0 and not self.calls.token.is_sign(":*/"):
            self._mean_written = token
        return [()]

    def _call(self) -> list[Item]:
        begin = self.calls.token
        if not self.calls.at_random_term:
            term = self.calls.read()
            return [] if term is None else [(term,)]
        terms = self.calls.read_random()
        for random in terms:
            for what in (overlap(earlier, random) for earlier in self._random_seen):
                if what is not None:
                    self._problem(f"{what}. Keep one of them.", begin.start, self.calls.last.end)
                    break
            self._random_seen.append(random)
        return list(terms)
