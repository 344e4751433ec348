"""The engine's modules stand in the order of the flow, as ARCHITECTURE.md lists them; no import goes in a circle."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.imports import Graph, between, circle, graph, part, picture

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "rampcheck"
LONGEST = 500
IMPORTS = graph(ENGINE)


def listed() -> list[str]:
    """The modules and wings in the order of ARCHITECTURE.md's table; a row is a module, a wing, or `wing/module`."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    return [name.replace("/", ".") for name in re.findall(r"^\| `(\w+(?:/\w+)?)` \|", text, re.MULTILINE)]


def upward(order: list[str], imports: Graph) -> list[tuple[str, str]]:
    """The imports of a part that comes later in the flow."""
    return [
        (name, other)
        for name, others in between(order, imports).items()
        for other in others
        if order.index(other) > order.index(name)
    ]


def test_every_module_is_listed() -> None:
    """Each module of the engine has a row, or its wing has; each row is there once, and stands for something."""
    order = listed()
    assert [module for module in IMPORTS if not part(module, order)] == []
    assert [name for name in order if name not in IMPORTS or order.count(name) > 1] == []


def test_modules_import_only_what_stands_above_them() -> None:
    """No module imports one that comes later in the flow, wherever the import stands."""
    print(picture(listed(), IMPORTS))  # noqa: T201 - `pytest -s` shows it
    assert upward(listed(), IMPORTS) == []


def test_the_picture_is_true() -> None:
    """ARCHITECTURE.md shows the wings and what they import, in their order; none imports one below it."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    shown = text.split("```\n")[1]
    wings = [line.split()[0] for line in shown.splitlines()]
    assert shown == picture(wings, IMPORTS) + "\n"
    assert upward(wings, IMPORTS) == []


def test_no_import_goes_in_a_circle() -> None:
    """No file imports one that comes back to it, inside a wing either."""
    assert circle(IMPORTS) == []


def package(folder: Path, **files: str) -> Graph:
    """The imports of a package of these files; `wing_module` is a file of a wing."""
    for name, text in files.items():
        path = folder / "engine" / f"{name.replace('_', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        for init in (folder / "engine" / "__init__.py", path.parent / "__init__.py"):
            init.touch()
        path.write_text(text, encoding="utf-8")
    return graph(folder / "engine")


@pytest.mark.parametrize(
    "text",
    [
        "from engine import late",
        "import engine.late",
        "from engine.late import x",
        "from . import late",
        "from .late import x",
        "def f():\n    from engine.late import x",
        "if TYPE_CHECKING:\n    import engine.late",
        "try:\n    from engine import late as other\nexcept ImportError:\n    pass",
    ],
)
def test_an_import_is_seen_wherever_it_stands(tmp_path: Path, text: str) -> None:
    """However an import is written, one that goes up the table is found."""
    imports = package(tmp_path, early=text, late="")
    assert upward(["early", "late"], imports) == [("early", "late")]
    assert upward(["late", "early"], imports) == []


def test_wings_and_circles(tmp_path: Path) -> None:
    """A wing may be one row, or a row for each module; a circle is told file by file; the picture has a line a part."""
    imports = package(
        tmp_path, low="", wing_a="from engine import low", wing_b="from .a import x", top="import engine.wing.b"
    )
    assert upward(["low", "wing", "top"], imports) == []
    assert upward(["low", "wing", "wing.b", "wing.a", "top"], imports) == [("wing.b", "wing.a")]
    assert picture(["low", "wing", "top"], imports) == "low   -\nwing  low\ntop   wing"
    assert circle(imports) == []
    assert set(circle(package(tmp_path, wing_a="from . import b"))) == {"wing.a", "wing.b"}


def test_no_module_is_long() -> None:
    """A module near 500 lines is two modules."""
    files = [
        *ENGINE.rglob("*.py"),
        *(ROOT / "suites").rglob("*.py"),
        *(ROOT / "references").rglob("*.py"),
        *(ROOT / "tests").rglob("*.py"),
    ]
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lines) == len(files) > 300
    assert {name: number for name, number in lines.items() if number > LONGEST} == {}


def test_every_lint_exception_has_its_reason() -> None:
    """It stands beside it, after a dash; a comment by itself is for what the lines below say."""
    folders = [ROOT / name for name in ("rampcheck", "suites", "references", "examples", "tests", "benchmarks")]
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"# (ruff: )?noqa(?!: [A-Z0-9, ]+ - [\w`])", line)
    ]
    assert bare == []


def test_the_engine_knows_no_vendor() -> None:
    """No contract of ours is named in it: in no module, schema, template or help text."""
    names = "|".join(path.name for path in (ROOT / "suites").iterdir() if path.is_dir() and path.name.isalpha())
    vendor = re.compile(rf"(?<![a-z])({names})(?![a-z])", re.IGNORECASE)
    files = [path for path in ENGINE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    told = [
        f"{path}:{number}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if vendor.search(line)
    ]
    assert names
    assert told == []
