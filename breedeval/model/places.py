"""Where a term stands in the user's text, for messages that come after the formula was read."""

from __future__ import annotations

from breedeval.model.spec import ModelSpec, TraitModel
from breedeval.model.tokens import pointed


def show_term(model: TraitModel, name: str) -> str:
    """Return lines that show the formula and point at the term of this name; only the formula's place if it is not known.

    Examples
    --------
    >>> model = TraitModel("milk", (), (), "herd + dim", "farm.yaml:9", {"dim": (7, 10)})
    >>> print(show_term(model, "dim"))
    Formula of milk (farm.yaml:9):
        herd + dim
               ^^^
    """
    head = f"Formula of {model.trait}" + (f" ({model.where})" if model.where else "")
    start, end = model.places.get(name, (0, 0))
    if not model.text:
        return head
    return f"{head}:\n" + (pointed(model.text, start, end) if end else f"    {model.text}")


def show_in(spec: ModelSpec, name: str) -> str:
    """Show the term in the first formula that has it, as more of a message; empty if none has."""
    for model in spec.traits:
        if name in [*(term.name for term in model.fixed), *(term.name for term in model.random)]:
            return "\n" + show_term(model, name)
    return ""
