"""What a run is told on the command line: one table, from which `rampcheck run` and plain pytest take their options.

In plain pytest each has `rampcheck-` before its name, because other plugins have options of the same names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from rampcheck.errors import UsageError


@dataclass(frozen=True)
class Option:
    """One option: a text (`metavar` names it), a number (`kind` int or float, a default) or a flag (`kind` bool).

    `many` may be given several times. `most` bounds a number, `alone` is what it means without one. `command` is where
    it stands: in `rampcheck run` as an option (True) or not (False); "hidden": as one that its help does not show.
    """

    name: str
    help: str
    metavar: str = ""
    kind: type = str
    default: Any = None
    many: bool = False
    most: int | None = None
    alone: int | None = None
    command: bool | str = True

    @property
    def member(self) -> str:
        """The name as an attribute."""
        return self.name.replace("-", "_")


OPTIONS = (
    Option(
        "profile",
        "The target's profile; without it, and without a base URL, the embedded reference is judged.",
        "FILE",
        command=False,
    ),
    Option("contract", "Without a profile: judge this contract only.", "NAME"),
    Option(
        "base-url",
        "Without a profile: the target; credentials come from the environment variables that the contract names.",
        "URL",
    ),
    Option("environment", "Without a profile: which environment the target is, by the contract's name for it.", "NAME"),
    Option(
        "ca-bundle",
        "A PEM file of the authorities that vouch for the target; goes before the profile's `tls.ca`, and before "
        "SSL_CERT_FILE and REQUESTS_CA_BUNDLE in the environment.",
        "FILE",
    ),
    Option("output", "Where to write; default: reports/<contract>-<UTC time>.", "DIR"),
    Option("build", "Which build of the target is judged; goes before the profile's `subject.build`.", "TEXT"),
    Option(
        "baseline",
        "Compare with this earlier run at the end, and write compare.html, compare.md and compare.json beside the "
        "reports. A run's folder, or its results.json. The exit code stays that of this run's own verdict.",
        "DIR",
    ),
    Option(
        "har",
        "Write the run's exchanges there, too, as an HTTP Archive (HAR 1.2): redacted, as the journal is.",
        "FILE",
    ),
    Option("seed", "Of the generated requests; the same seed sends the same ones.", "N", int, 1),
    Option("examples", "Generated requests for each property test.", "N", int, 45, most=1000),
    Option(
        "clause", "Try only these clauses, for example 'NAME.auth.*'. May be given several times.", "PATTERN", many=True
    ),
    Option(
        "shard",
        "Take a part of the scenarios, the second of four, for one of several machines; `rampcheck report` puts the "
        "parts together. All of them need the same RAMPCHECK_SHARD_KEY in the environment, a secret of this run.",
        "2/4",
    ),
    Option(
        "budget",
        "Send at most so many requests: those of the scenarios that find the most for them; by itself: 250, which is "
        "also what a target on another machine is sent where the profile has no `limits.max_requests`.",
        "N",
        int,
        most=1_000_000,
        alone=250,
    ),
    Option("thorough", "Send all that there is to ask, whatever the target.", kind=bool),
    Option("max-failures", "Stop when so many clauses that are required were seen broken.", "N", int, most=1000),
    Option("fail-fast", "Stop when the first one was: --max-failures 1.", kind=bool),
    Option("strict", "Count a broken `should`, and a stale waiver, as a failure.", kind=bool),
    Option("require-complete", "Exit with 1 where the profile lacks what a `must` needs.", kind=bool),
    Option("allow-production", "Let scenarios that only create sessions touch production.", kind=bool),
    Option(
        "defect",
        "Break one promise of the embedded reference; `rampcheck serve --list-defects` names them.",
        "NAME",
        many=True,
    ),
    Option(
        "variant",
        "Let the embedded reference do something otherwise that still conforms; `rampcheck serve "
        "--list-variants` names them.",
        "NAME",
        many=True,
    ),
    Option(
        "latency",
        "How many seconds each answer of the embedded reference waits.",
        "SECONDS",
        float,
        0.0,
        command="hidden",
    ),
    Option("no-allure", "Write no Allure results.", kind=bool, command=False),
    Option("progress", "Show how the run goes, in place of pytest's letters.", kind=bool, command=False),
)
SIDES = ("provider", "partner")  # who signs a run, in the order of its report
PREFIX = "rampcheck-"


def default(name: str) -> Any:
    """Gives what holds where an option is not given."""
    return next(option.default for option in OPTIONS if option.name == name)


def arguments(given: Mapping[str, Any]) -> list[str]:
    """Gives the arguments for pytest that say what is `given`, by the options' members; None says nothing."""
    told: list[str] = []
    for option in OPTIONS:
        value = given.get(option.member)
        if option.kind is bool:
            told += [f"--{PREFIX}{option.name}"] if value else []
        else:
            values = (value or ()) if option.many else () if value is None else (value,)
            told += [f"--{PREFIX}{option.name}={item}" for item in values]
    return told


def for_pytest() -> Iterator[tuple[str, dict[str, Any]]]:
    """Gives each option's name, and what pytest's `addoption` needs to know of it."""
    for option in OPTIONS:
        more: dict[str, Any] = (
            {"action": "store_true"}
            if option.kind is bool
            else {
                "metavar": option.metavar,
                "type": option.kind,
                "default": [] if option.many else option.default,
                "action": "append" if option.many else "store",
                **({} if option.alone is None else {"nargs": "?", "const": option.alone}),
            }
        )
        yield f"--{PREFIX}{option.name}", {"help": option.help, **more}


def chosen(parsed: Any) -> SimpleNamespace:
    """Gives what pytest has `parsed`, an attribute for each option's member.

    Raises `UsageError` for an empty text: whoever writes "$UNSET" does not mean the default.
    """
    found = {option.member: getattr(parsed, f"{PREFIX}{option.name}".replace("-", "_")) for option in OPTIONS}
    for option in OPTIONS:
        value = found[option.member]
        if any(isinstance(text, str) and not text.strip() for text in (value if option.many else [value])):
            raise UsageError(f"--{PREFIX}{option.name} is empty", EMPTY)
    return SimpleNamespace(**found)


EMPTY = "Is a variable unset? Set it: only what is left out has its default."
