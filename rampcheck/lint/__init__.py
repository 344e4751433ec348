"""What is wrong with a pack, all at once: rules as a table, each a small function of a contract's `Draft`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rampcheck.contract import packs
from rampcheck.contract.packs import Pack
from rampcheck.errors import UsageError, nearest
from rampcheck.lint import code, documents, partner, versions
from rampcheck.lint.draft import Draft, Mistake, Rule

__all__ = ["RULES", "Looked", "Mistake", "lint", "look"]

RULES: Sequence[Rule] = (*documents.RULES, *versions.RULES, *code.RULES, *partner.RULES)


@dataclass(frozen=True)
class Looked:
    """What was found in one contract: the mistakes by the rule that they break, and the rules that were left out."""

    contract: str
    mistakes: tuple[tuple[str, Mistake], ...]
    left_out: tuple[str, ...]


def look(pack: Pack, contract: str) -> Looked:
    """Looks at one contract by every rule; those that a broken one keeps from telling anything are left out."""
    draft = Draft(pack, contract)
    found: list[tuple[str, Mistake]] = []
    silent: list[str] = []
    for rule in RULES:
        if {name for name, _ in found}.union(silent).intersection(rule.after):
            silent.append(rule.name)
        else:
            found += [(rule.name, mistake) for mistake in rule.mistakes(draft)]
    return Looked(contract, tuple(found), tuple(silent))


def lint(meant: str = "") -> Iterator[Looked]:
    """Looks at a contract by its name, at those of a pack by its folder, or at all that are known.

    Raises `UsageError` where there is nothing of that name.
    """
    known = {name: pack for pack in reversed(packs.packs()) for name in _contracts(pack)}
    folder = Path(meant).resolve()
    if not meant:
        chosen = [(pack, name) for pack in packs.packs() for name in _contracts(pack)]
    elif meant in known:
        chosen = [(known[meant], meant)]
    else:
        chosen = [(Pack(folder), name) for name in _contracts(Pack(folder))]
        if not chosen:
            raise UsageError(
                f"{meant} is neither a contract nor a pack's folder",
                _cure(meant, known),
            )
        if Pack(folder).contracts:
            packs.add(folder)
    for pack, name in chosen:
        yield look(pack, name)


def _cure(meant: str, known: Iterable[str]) -> str:
    if folder := packs.unnamed(meant):
        return f"Name the folder of its pack: `rampcheck lint {folder}`."
    near = nearest(meant, known)
    question = f"Did you mean {near}? " if near else ""
    return f"{question}Known contracts: {', '.join(sorted(known))}; of a pack that is not installed, name the folder."


def _contracts(pack: Pack) -> list[str]:
    """Gives the names of what is meant to be a contract, however much of it is missing."""
    return sorted({path.parent.name for path in (pack.folder / "openapi").glob("*/*.yaml")})
