"""What suites and references are made of: the functions and classes of the engine that a pack uses, from the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

from docs.made.markdown import code, plain, table

# Modules whose public functions and classes a pack may use; of the classes named, the methods, too.
MODULES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("rampcheck.running.scenario", "What a scenario asks, and of whom", ("Target", "Accepted", "Attempt")),
    ("rampcheck.running.cases", "What is sent otherwise", ()),
    ("rampcheck.judging.demands", "What is demanded of an answer", ()),
    ("rampcheck.judging.invariants", "What holds in every exchange", ("Endpoint",)),
    ("rampcheck.judging.history", "What holds over a whole run", ()),
    ("rampcheck.judging.suite", "What a suite is", ()),
    ("rampcheck.sandbox.wire", "A reference: calls and answers", ()),
    ("rampcheck.sandbox.refusal", "A reference: refusals", ("PostedJson",)),
    ("rampcheck.sandbox.defects", "A reference: defects", ()),
    ("rampcheck.sandbox.variants", "A reference: variants", ()),
)
STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def blocks() -> str:
    """Gives a table for each module: what is called how, and what it does."""
    return "\n".join(
        f"## {title}\n\n{code(f'from {name} import …')}\n\n{table(('block', 'what it is'), list(_rows(name, opened)))}"
        for name, title, opened in MODULES
    )


def _rows(name: str, opened: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    module = import_module(name)
    for own, value in _own(module):
        # What the engine hands to a scenario is made by nobody else.
        yield code(own if own in opened else _called(own, value)), _said(value)
        if own in opened:
            for method, one in vars(value).items():
                if not method.startswith("_") and inspect.isfunction(one):
                    yield code(f".{_called(method, one)}"), _said(one)
                elif not method.startswith("_") and isinstance(one, property):
                    yield code(f".{method}"), _said(one)


def _own(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        is_block = inspect.isfunction(value) or inspect.isclass(value)
        if not name.startswith("_") and is_block and value.__module__ == module.__name__:
            yield name, value


def _called(name: str, value: Callable[..., Any]) -> str:
    """How it is called: the names of what it takes, those with a default in brackets."""
    if inspect.isclass(value) and "__init__" not in vars(value):
        return name
    taken = [
        f"[{one.name}]" if one.default is not one.empty else f"{STARS.get(one.kind, '')}{one.name}"
        for one in inspect.signature(value).parameters.values()
        if one.name not in {"self", "cls"}
    ]
    return f"{name}({', '.join(taken)})"


def _said(value: object) -> str:
    """The first paragraph of its docstring."""
    return plain(" ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split()))
