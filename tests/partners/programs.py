"""Partners' programs that are wrong in one thing, or otherwise and right: small changes of the examples.

A program is a class that overrides what `examples/partners/<contract>/purchase.py` does:

    @flaw("no-client-ip", breaks="client-ip", steps=["works"])
    class NoClientIp(Purchase):
        '''The user's address is not sent.'''

`python tests/partners/programs.py CONTRACT NAME` runs it, as a partner's test command.
"""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TypeVar

ROOT = Path(__file__).parents[2]
MODULES = {"proof": ("proof_flaws", "proof_variants"), "kryptonim": ("kryptonim",)}
EXAMPLES = ROOT / "examples" / "partners"
# By the ending of an example: what runs it, and what has to be on the machine.
COMMANDS = {".py": (sys.executable,), ".mjs": ("node",), ".sh": ("bash",), ".php": ("php",)}
TOOLS = {".py": (), ".mjs": ("node",), ".sh": ("bash", "curl", "jq", "openssl"), ".php": ("php",)}
# What asks the books of the examples.
OBSERVERS = {"proof": "grep -cxF '{id} {status}' purchases.log", "kryptonim": "grep -cF '{id} ' purchases.log"}
Purchase = TypeVar("Purchase", bound=type)


@dataclass(frozen=True)
class Program:
    """A partner's program.

    `clauses` are those that it breaks, none where it conforms; `may_break` those that may fall with them. `steps` are
    those of the contract's script in which that is seen.
    """

    name: str
    contract: str
    purchase: type
    clauses: tuple[str, ...]
    may_break: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def command(self) -> list[str]:
        """What runs it."""
        return [sys.executable, str(Path(__file__)), self.contract, self.name]


class Programs:
    """The programs of one contract."""

    def __init__(self, contract: str) -> None:
        self.contract = contract
        self.all: dict[str, Program] = {}

    def flaw(
        self, name: str, *, breaks: str, steps: Sequence[str], may_break: Sequence[str] = ()
    ) -> Callable[[Purchase], Purchase]:
        """Registers the decorated class as one that breaks the clause `breaks`, in one of the steps."""
        return self._registers(name, (breaks,), steps, may_break)

    def variant(self, name: str, *, steps: Sequence[str]) -> Callable[[Purchase], Purchase]:
        """Registers the decorated class as one that does otherwise what is seen in these steps, and conforms."""
        return self._registers(name, (), steps, ())

    def _registers(
        self, name: str, breaks: Sequence[str], steps: Sequence[str], may_break: Sequence[str]
    ) -> Callable[[Purchase], Purchase]:
        def registered(purchase: Purchase) -> Purchase:
            if name in self.all:
                raise ValueError(f"there are two programs {name}")
            clauses, consequences = (
                tuple(f"{self.contract}.partner.{which}" for which in named) for named in (breaks, may_break)
            )
            self.all[name] = Program(name, self.contract, purchase, clauses, consequences, tuple(steps))
            return purchase

        return registered


def examples() -> list[Path]:
    """The conforming programs that partners begin from, of all contracts."""
    found = [*EXAMPLES.glob("*/purchase.*"), *EXAMPLES.glob("*/*/purchase.*")]
    return sorted(path for path in found if path.parent.name != "__pycache__")


def contract_of(example: Path) -> str:
    """The contract of an example: the first folder that it is in."""
    return example.relative_to(EXAMPLES).parts[0]


def spoken(example: Path) -> str:
    """What an example is called: its contract, its framework where it has one, its language."""
    return "-".join((*example.relative_to(EXAMPLES).parts[:-1], example.suffix[1:]))


def missing(example: Path) -> str:
    """Why an example cannot be run on this machine; "" where it can."""
    if absent := [tool for tool in TOOLS[example.suffix] if shutil.which(tool) is None]:
        return f"not on this machine: {', '.join(absent)}"
    if (
        example.suffix == ".php"
        and "curl" not in subprocess.run(["php", "-m"], capture_output=True, text=True, check=False).stdout.split()
    ):
        return "PHP has no curl on this machine"
    if (example.parent / "package.json").is_file() and not (example.parent / "node_modules").is_dir():
        return f"its packages are not there: npm install in {example.parent.relative_to(ROOT)}"
    return ""


def example(contract: str) -> ModuleType:
    """The conforming program of a contract, as a module."""
    spec = importlib.util.spec_from_file_location(f"partner_of_{contract}", EXAMPLES / contract / "purchase.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def programs(contract: str) -> dict[str, Program]:
    """All programs of a contract, by name."""
    found: dict[str, Program] = {}
    for name in MODULES[contract]:
        found |= importlib.import_module(f"tests.partners.{name}").PROGRAMS.all
    return found


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    contract, name = sys.argv[1:]
    module = importlib.import_module(f"tests.partners.{contract}")
    module.conforming.main(programs(contract)[name].purchase())
