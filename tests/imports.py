"""Who imports whom in a package: every import, wherever it stands, also inside functions and for types only."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

Graph = Mapping[str, frozenset[str]]


def graph(package: Path) -> Graph:
    """Gives each module of a package, dotted and without the package's name, with the modules that it imports.

    A package is the module of its `__init__.py`; the outermost one, which has no name left, is not in it.
    """
    modules = {
        _name(path, package): path for path in sorted(package.rglob("*.py")) if "templates" not in path.parts
    }  # a template is no module
    modules.pop("", None)
    return {name: frozenset(_imported(path, package, modules) - {name}) for name, path in modules.items()}


def _name(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package).with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def _imported(path: Path, package: Path, modules: Iterable[str]) -> set[str]:
    own = [package.name, *path.relative_to(package).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = own[: len(own) - node.level + 1] if node.level else []
            home = ".".join([*above, *filter(None, [node.module])])
            members = {f"{home}.{alias.name}" for alias in node.names}
            # `from package import module` uses the module, not what stands in the package itself.
            known = {member for member in members if member.removeprefix(f"{package.name}.") in modules}
            found |= known | ({home} if members - known else set())
    return {name.removeprefix(f"{package.name}.") for name in found} & set(modules)


def circle(imports: Graph) -> list[str]:
    """Gives the modules of a circle of imports, in its order; none where there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def part(module: str, parts: Iterable[str]) -> str:
    """Gives the part, a module or a wing with all its modules, to which a module belongs: the longest that fits."""
    return max((known for known in parts if f"{module}.".startswith(f"{known}.")), key=len, default="")


def between(parts: Iterable[str], imports: Graph) -> Graph:
    """Gives what the parts import of each other."""
    parts = list(parts)
    found: dict[str, set[str]] = {name: set() for name in parts}
    for module, others in imports.items():
        home = part(module, parts)
        found.setdefault(home, set()).update(part(other, parts) for other in others)
    return {name: frozenset(others - {name}) for name, others in found.items()}


def picture(parts: Iterable[str], imports: Graph) -> str:
    """Draws the parts in their order: a line for each, with what it imports."""
    parts = list(parts)
    known = between(parts, imports)
    width = max(map(len, parts))
    return "\n".join(f"{name:<{width}}  {' '.join(sorted(known[name], key=parts.index)) or '-'}" for name in parts)
