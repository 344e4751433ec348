"""A contract as its files say it, right or wrong: what the rules of the linter look at."""

from __future__ import annotations

import ast
import inspect
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from rampcheck.contract import descriptor, packs, profile_schema, yaml_file
from rampcheck.contract.packs import Pack
from rampcheck.contract.register import resolve
from rampcheck.contract.yaml_file import Step
from rampcheck.judging.suite import Suite
from rampcheck.judging.suite import load as load_suite
from rampcheck.running import launch
from rampcheck.running.launch import Listing
from rampcheck.sandbox import reference
from rampcheck.sandbox.defects import Defect, all_defects
from rampcheck.sandbox.variants import all_variants

Json = dict[str, Any]


@dataclass(frozen=True)
class Mistake:
    """What is wrong: the file, its line (0 where it is about none), the cause, and how to mend it."""

    path: Path
    line: int
    cause: str
    cure: str

    def __str__(self) -> str:
        path = self.path.relative_to(Path.cwd()) if self.path.is_relative_to(Path.cwd()) else self.path
        where = f"{path}:{self.line}" if self.line else str(path)
        return f"{where}: {self.cause}\n    {self.cure}"


@dataclass(frozen=True)
class Rule:
    """What must be right with a contract: `mistakes` gives what is not.

    Where one of the rules `after` was broken it is left out: it would stumble, or tell the same again.
    """

    name: str
    mistakes: Callable[[Draft], Iterator[Mistake]]
    after: tuple[str, ...] = ()


class Page:
    """One YAML file with the line of each place; `content` is empty where it holds no mapping, `fault` says why."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: Json = {}
        self.fault: tuple[int, str] | None = None
        self._root: yaml.Node | None = None
        try:
            loader = yaml_file.Loader(path.read_text(encoding="utf-8"))
            self._root = loader.get_single_node()
            content = None if self._root is None else loader.construct_document(self._root)
        except yaml_file.UNREADABLE as error:
            mark = getattr(error, "problem_mark", None)
            self.fault = (
                mark.line + 1 if mark else 0,
                getattr(error, "strerror", None) or getattr(error, "problem", None) or "it is no YAML",
            )
            return
        if isinstance(content, dict):
            self.content = content
        else:
            self.fault = (1, "it holds no mapping")

    def line(self, *steps: Step) -> int:
        """Gives the line of a place, or of what is nearest above it."""
        return yaml_file.line_of(self._root, *steps)

    def repeated(self) -> Iterator[tuple[int, str]]:
        """Gives the line and the name of each key that its mapping holds already."""
        waiting = [self._root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                names = [key.value for key, _ in node.value]
                yield from (
                    (key.start_mark.line + 1, str(key.value))
                    for place, (key, _) in enumerate(node.value)
                    if key.value in names[:place]
                )
                waiting += [value for _, value in node.value]

    def wrong(self, cause: str, cure: str, *steps: Step) -> Mistake:
        """Gives a mistake at a place of this file."""
        return Mistake(self.path, self.line(*steps), cause, cure)


class Draft:
    """One contract of a pack. What its code defines is loaded when a rule asks for it, and raises what it raises."""

    def __init__(self, pack: Pack, name: str) -> None:
        self.pack = pack
        self.name = name
        self.descriptor, self.register, self.document = (
            Page(pack.document(name, kind)) for kind in ("contract", "clauses", "openapi")
        )
        self.partner, self.script = (
            Page(path) if (path := pack.document(name, kind)).is_file() else None for kind in ("partner", "script")
        )

    @property
    def pages(self) -> tuple[Page, Page, Page]:
        """The contract's documents."""
        return self.descriptor, self.register, self.document

    @property
    def folder(self) -> Path:
        """The folder of its suite."""
        return self.pack.suite(self.name)

    @property
    def reference_folder(self) -> Path:
        """The folder of its reference, which need not be there."""
        return self.pack.reference(self.name)

    @property
    def has_reference(self) -> bool:
        """Whether the pack brings a reference of it."""
        return self.reference_folder.is_dir()

    @property
    def is_found(self) -> bool:
        """Whether the engine finds this contract by its name, and not another pack's."""
        return [pack for pack in packs.packs() if self.name in pack.contracts] == [self.pack]

    @cached_property
    def clauses(self) -> dict[str, Json]:
        """The register's clauses by id, in its order."""
        return {clause["id"]: clause for clause in self.register.content["clauses"]}

    @cached_property
    def of_partner(self) -> frozenset[str]:
        """The clauses of the partner's side, none where the contract has none."""
        clauses = self.partner.content.get("clauses") if self.partner else None
        told = clauses if isinstance(clauses, list) else ()
        return frozenset(str(clause.get("id")) for clause in told if isinstance(clause, dict))

    @cached_property
    def profile(self) -> Json:
        """The JSON Schema of a profile of this contract, references resolved."""
        schema = profile_schema.of(descriptor.read(self.name))
        resolved: Json = resolve(schema, {key: value for key, value in schema.items() if key != "$defs"})
        return resolved

    @cached_property
    def scenarios(self) -> Listing:
        """The scenarios of its suite, as pytest collects them."""
        return launch.listed(self.name)

    @cached_property
    def verified(self) -> frozenset[str]:
        """The clauses that scenarios are marked with."""
        return frozenset(clause for scenario in self.scenarios.scenarios for clause in scenario.clauses)

    @cached_property
    def suite(self) -> Suite:
        """Its suite."""
        return load_suite(self.name)

    @cached_property
    def defects(self) -> tuple[Defect, ...]:
        """The defects of its reference, all of which is loaded."""
        found = reference.load(self.name)
        for module, function in (("app", "create_app"), ("profile", "profile")):
            getattr(found.module(module), function)
        all_variants(self.name)
        return all_defects(self.name)

    def literals(self, folder: Path) -> Iterator[tuple[Path, int, str, bool]]:
        """Gives the texts in a folder's code that begin like a clause: file, line, text, whether it is but a part.

        Raises `SyntaxError` where the code is no Python.
        """
        for path in sorted(folder.rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and node.value.startswith(f"{self.name}.")
                ):
                    yield path, node.lineno, node.value, id(node) in parts


def place(error: BaseException, folder: Path, otherwise: Path) -> tuple[Path, int]:
    """Gives where in `folder` an exception comes from."""
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename), error.lineno or 0
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(folder)
    ]
    return (Path(frames[-1].filename), frames[-1].lineno or 0) if frames else (otherwise, 0)


def source(made: type | None, folder: Path) -> tuple[Path, int]:
    """Gives where in `folder` a class stands; the package's own file where that is elsewhere."""
    try:
        path, line = Path(inspect.getfile(made or object)), inspect.getsourcelines(made or object)[1]
    except (TypeError, OSError):  # none, one of Python's own, one without a source
        return folder / "__init__.py", 0
    return (path, line) if path.is_relative_to(folder) else (folder / "__init__.py", 0)
