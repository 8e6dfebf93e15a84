"""Functions of (co)variances that users write: ``(genetic[y:id] + permanent) / phenotypic[y]``, read safely."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

from breedeval.errors import ConfigError, name_some
from breedeval.nearest import did_you_mean
from breedeval.variance.dual import Dual
from breedeval.variance.parameters import Parameters
from breedeval.variance.quantities import Elements

_FUNCTIONS: dict[str, Callable[[Dual], Dual]] = {
    "sqrt": Dual.sqrt,
    "log": Dual.log,
    "exp": Dual.exp,
    "abs": Dual.absolute,
}
#: A longer text is no formula.
LONGEST = 10_000
_HELP = "Write numbers, + - * / **, sqrt, log, exp, abs, and (co)variances such as genetic, genetic[y:id] or residual[y,z]."


def parse_expression(
    text: str, parameters: Parameters, earlier: Mapping[str, Callable[[Elements], Dual]]
) -> Callable[[Elements], Dual]:
    """Turn a text into a function of the (co)variances.

    Parameters
    ----------
    text
        An expression. ``genetic`` is the only variance of that block; ``genetic[label]`` a variance, ``genetic[label,label]`` a
        covariance; a trait will do as a label where it has one effect in the block. ``phenotypic[trait]`` and
        ``phenotypic[trait,trait]`` are sums over all effects. With classes of the residual, ``residual[class]``,
        ``residual[class,label]``; what is phenotypic then needs the class first, too.
    parameters
        The model's (co)variances.
    earlier
        Functions that have a name already.

    Raises
    ------
    ConfigError
        If the text is not such an expression, or names something that the model does not have.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"an expression of {len(text):,} characters is too long.")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" at character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise ConfigError(f"'{text}' cannot be read{place}. {_HELP}") from None
    return _Reader(text.strip(), parameters, earlier).read(tree.body)


class _Reader:
    """Reads one expression; each node becomes a function of the elements."""

    def __init__(self, text: str, parameters: Parameters, earlier: Mapping[str, Callable[[Elements], Dual]]) -> None:
        self._text, self._parameters, self._earlier = text, parameters, earlier

    def read(self, node: ast.expr) -> Callable[[Elements], Dual]:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return lambda e: e.constant(float(number))
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                part = self.read(inner)
                return lambda e: -part(e)
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.read(inner)
            case ast.BinOp():
                return self._operation(node)
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _FUNCTIONS:
                part = self.read(inner)
                return lambda e: _FUNCTIONS[name](part(e))
            case ast.Subscript(value=base, slice=index):
                return self._covariance(self._source(base), self._labels(index))
            case ast.Name() | ast.Call():
                name = self._source(node)
                return self._earlier[name] if name in self._earlier else self._covariance(name, [])
        raise self._wrong(f"'{self._source(node)}' cannot stand here. {_HELP}")

    def _operation(self, node: ast.BinOp) -> Callable[[Elements], Dual]:
        left, right = self.read(node.left), self.read(node.right)
        match node.op:
            case ast.Add():
                return lambda e: left(e) + right(e)
            case ast.Sub():
                return lambda e: left(e) - right(e)
            case ast.Mult():
                return lambda e: left(e) * right(e)
            case ast.Div():
                return lambda e: left(e) / right(e)
            case ast.Pow():
                return lambda e: left(e).power(right(e))
        raise self._wrong(f"the operation in '{self._source(node)}' is not known. {_HELP}")

    def _labels(self, index: ast.expr) -> list[str]:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        return [str(part.value) if isinstance(part, ast.Constant) else "".join(self._source(part).split()) for part in parts]

    def _covariance(self, name: str, labels: list[str]) -> Callable[[Elements], Dual]:
        plain = "".join(name.split())
        matrices = self._parameters.matrices
        residuals = [number for number, matrix in enumerate(matrices) if matrix.is_residual]
        if plain in ("residual", "phenotypic"):
            number, labels = self._residual(plain, residuals, labels)
            i, j = self._rows(plain, matrices[number].labels, labels)
            if plain == "phenotypic":
                return lambda e: e.phenotypic(number, i, j)
            return lambda e: e.element(number, i, j)
        blocks = {matrix.name: number for number, matrix in enumerate(matrices) if not matrix.is_residual}
        found = blocks.get(plain, blocks.get(plain.partition("(")[2].rstrip(")")))
        if found is None:
            known = [*blocks, "residual", "phenotypic", *self._earlier]
            raise self._wrong(f"there is no '{name}' in this model.{did_you_mean(name, known)} There are {', '.join(known)}.")
        block = found
        i, j = self._rows(name, matrices[block].labels, labels)
        return lambda e: e.element(block, i, j)

    def _residual(self, name: str, residuals: list[int], labels: list[str]) -> tuple[int, list[str]]:
        """Matrix of the residual that is meant, and the labels without its class."""
        if self._parameters.by is None:
            return residuals[0], labels
        classes = [self._parameters.matrices[number].name for number in residuals]
        if not labels or labels[0] not in classes:
            raise self._wrong(
                f"the residual has classes: write {name}[class] or {name}[class,label] with a class of {name_some(classes)}."
            )
        return residuals[classes.index(labels[0])], labels[1:]

    def _rows(self, name: str, known: tuple[str, ...], labels: list[str]) -> tuple[int, int]:
        if not labels and len(known) == 1:
            return 0, 0
        if len(labels) not in (1, 2):
            raise self._wrong(
                f"{name} has {len(known)} effects: write {name}[label] or {name}[label,label] with {name_some(known)}."
            )
        rows = []
        for label in labels:
            of_trait = [row for row, other in enumerate(known) if other == label or other.split(":")[0] == label]
            exact = [row for row, other in enumerate(known) if other == label]
            found = exact or of_trait
            if len(found) != 1:
                raise self._wrong(
                    f"{name} has no single effect '{label}'.{did_you_mean(label, known)} There are {name_some(known)}."
                )
            rows.append(found[0])
        return rows[0], rows[-1]

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._text, node) or self._text

    def _wrong(self, message: str) -> ConfigError:
        return ConfigError(f"{self._text}: {message}")
