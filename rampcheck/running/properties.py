"""Property tests: schemathesis generates requests from the OpenAPI document, the run's one client sends them.

Only the generation is schemathesis's. Judging is the invariants', and what a scenario adds; a generated body that a
conforming target may accept or refuse is judged by neither. Sources: schemathesis's documentation, "Python API";
Hypothesis's documentation, "Settings".
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import copy
from typing import TYPE_CHECKING, Any

from rampcheck.contract.register import Contract
from rampcheck.errors import Unjudged
from rampcheck.judging.findings import Judge
from rampcheck.wire.exchanges import Exchange

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SHRINKING = 40
SHARES = 3
BESIDE_BODIES = frozenset({"parameters", "security", "securitySchemes"})


def bodies_only(document: Any) -> Any:
    """Gives an OpenAPI document without parameters and credentials.

    Only the bodies are used of what is generated. With the rest in it, half of the invalid requests have nothing wrong
    but a header, and their bodies are valid.
    """
    if isinstance(document, Mapping):
        return {name: bodies_only(value) for name, value in document.items() if name not in BESIDE_BODIES}
    return [bodies_only(value) for value in document] if isinstance(document, list) else document


class Refuted(Exception):
    """A generated request broke a clause: tells Hypothesis to look for a smaller one."""


class Enough(BaseException):
    """No more requests may be sent for a smaller one: ends Hypothesis, which catches every `Exception`."""


class Generator:
    """Generates bodies for an operation of `contract`, `examples` of them for each property, from `seed`.

    The same seed gives the same bodies. A body that breaks a `must` is shrunk with at most 40 further requests, and
    only the smallest failing one becomes the finding. `share` gives a third of it all: what is generated first shows
    the most.
    """

    def __init__(self, contract: Contract, judge: Judge, seed: int, examples: int) -> None:
        self._contract = contract
        self._judge = judge
        self._seed = seed
        self._examples = examples
        self._most = examples + SHRINKING
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._known: dict[tuple[str, str, bool], tuple[SearchStrategy[bytes], dict[bytes, bool]]] = {}

    def share(self, number: int) -> Generator:
        """Gives what generates a share of the bodies, by its number in `range(SHARES)`; no body is sent by two."""
        self._settle()
        share = copy(self)
        share._seed = self._seed * SHARES + number
        share._examples = len(range(number, self._examples, SHARES))
        share._most = share._examples + len(range(number, SHRINKING, SHARES))
        return share

    def valid(self, method: str, path: str, send: Callable[[bytes], Exchange]) -> None:
        """Calls `send` with bodies that the document's request schema allows.

        That the target accepts none of them is noted: its limits are not documented. Raises `Unjudged` where `send`
        does.
        """
        if not self._explore(*self._bodies(method, path, positive=True), send):
            self._judge.note("the target accepted none of the generated requests, and was only seen to answer them")

    def invalid(self, method: str, path: str, send: Callable[[bytes], Exchange]) -> None:
        """Calls `send` with bodies that the document's request schema refuses, or that are no JSON at all."""
        self._explore(*self._bodies(method, path, positive=False), send)

    def _explore(
        self, bodies: SearchStrategy[bytes], outcomes: dict[bytes, bool], send: Callable[[bytes], Exchange]
    ) -> int:
        """Gives how many of the generated requests were accepted; `outcomes` says which were refuted, of all shares."""
        if not self._examples:
            return 0
        from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings  # noqa: PLC0415 - a run that selects no property test does without

        most = len(outcomes) + self._most
        # Hypothesis would ask for the example again, and call a signal that does not come again flaky.
        stopped: list[Unjudged | KeyboardInterrupt] = []
        accepted, is_refuted = 0, False

        # Explicit settings beat the profile that Hypothesis takes under CI=true, and write no database.
        @seed(self._seed)
        @settings(
            max_examples=self._examples,
            database=None,
            deadline=None,
            derandomize=False,
            report_multiple_bugs=False,
            phases=[Phase.generate, Phase.shrink],
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
        )
        @given(bodies)
        def explored(body: bytes) -> None:
            nonlocal accepted, is_refuted
            if is_refuted and body not in outcomes and len(outcomes) >= most:
                raise Enough
            if body not in outcomes and not stopped and len(outcomes) < most:
                before = len(self._judge.findings)
                try:
                    accepted += send(body).accepted
                except (Unjudged, KeyboardInterrupt) as error:
                    stopped.append(error)
                outcomes[body] = any(
                    self._contract.clauses[finding.clause].level == "must" for finding in self._judge.findings[before:]
                )
            if outcomes.get(body):
                is_refuted = True
                raise Refuted

        # What was refuted is with the judge already.
        with self._judge.shrinking(), suppress(Refuted, Enough):
            explored()
        if stopped:
            raise stopped[0]
        return accepted

    def close(self) -> None:
        """Removes what Hypothesis has kept in files."""
        if self._home is not None:
            self._home.cleanup()

    def _settle(self) -> None:
        """Gives Hypothesis a folder of its own."""
        import hypothesis.configuration  # noqa: PLC0415 - a run that selects no property test does without

        if self._home is None:
            # Hypothesis would put its caches, which hold constants of local files, into the current folder.
            self._home = tempfile.TemporaryDirectory(prefix="rampcheck-")
            hypothesis.configuration.set_hypothesis_home_dir(self._home.name)

    def _bodies(self, method: str, path: str, *, positive: bool) -> tuple[SearchStrategy[bytes], dict[bytes, bool]]:
        """Gives what draws the bodies, and what became of those that were sent."""
        self._settle()
        kind = method, path, positive
        if kind not in self._known:
            self._known[kind] = bodies(self._contract, method, path, positive=positive), {}
        return self._known[kind]


def _without_constants_of_modules() -> None:
    """Keeps Hypothesis from drawing constants that it finds in the source of whatever is imported outside of a library.

    It parses some 180 files for them, in a checkout alone: without, the same seed gives there what it gives the wheel.
    Hypothesis has no setting for it; a later version that names this otherwise goes on as it does by itself.
    """
    with suppress(ImportError, KeyError):
        from hypothesis.internal.conjecture import providers  # noqa: PLC0415 - as below

        none: Any = vars(providers)["Constants"]()
        vars(providers)["HypothesisProvider"]._local_constants = none


def bodies(contract: Contract, method: str, path: str, *, positive: bool) -> SearchStrategy[bytes]:
    """Gives what draws bodies that the schema of an operation's request allows or, not `positive`, refuses."""
    import requests  # noqa: PLC0415 - as in `Generator`
    import schemathesis  # noqa: PLC0415 - a run that selects no property test does without
    from schemathesis.config import SchemathesisConfig  # noqa: PLC0415 - a run that selects no property test does without

    _without_constants_of_modules()
    # An explicit configuration, because schemathesis searches the folders above for one. Without a codec: for any,
    # Hypothesis first tries all of Unicode, which takes a second, and leaves out only what the default alphabet leaves
    # out too.
    config = SchemathesisConfig()
    config.projects.default.generation.codec = None
    schema = schemathesis.openapi.from_dict(bodies_only(contract.document), config=config)
    mode = schemathesis.GenerationMode.POSITIVE if positive else schemathesis.GenerationMode.NEGATIVE

    def body_of(case: schemathesis.Case[Any]) -> bytes:
        sent = requests.Request(**case.as_transport_kwargs(base_url="http://target")).prepare().body
        return sent.encode() if isinstance(sent, str) else bytes(sent or b"")

    return schema[path][method].as_strategy(generation_mode=mode).map(body_of)
