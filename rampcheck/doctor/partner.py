"""What the profile says of the partner, against what the target does: the contract's own probes."""

from __future__ import annotations

from collections.abc import Iterator

from rampcheck.contract.register import resolve
from rampcheck.doctor.asking import Asking
from rampcheck.judging.suite import Candidate, Probe
from rampcheck.mistakes.observation import Observation, Severity, Whose
from rampcheck.wire.exchanges import Exchange

KEPT = 2  # requests, for what comes after


def looked_at(asking: Asking, candidate: Candidate) -> Iterator[Observation]:
    """Tries each part of the profile that the suite has a probe for, by changes of a request that was accepted."""
    yield from _unknown_fields(asking)
    left_out = []
    for probe in asking.suite.probes(asking.profile):
        if asking.left <= KEPT:
            left_out.append(probe.place)
            continue
        credential = probe.credential or asking.suite.credential
        request = probe.change(candidate.build(asking.profile, credential, asking.unique), asking.unique)
        yield _tried(probe, asking.ask(request))
    if left_out:
        yield Observation(", ".join(left_out), "look", "not looked at: a diagnosis has no more requests", "A run does.")


def _tried(probe: Probe, answer: Exchange) -> Observation:
    if answer.failure is not None:
        is_own = answer.failure.kind in {"address", "proxy"}
        severity: Severity = "wrong" if is_own else "look"
        whose: Whose = "profile" if is_own else "target"
        return Observation(probe.place, severity, answer.failure.detail, probe.cure, whose, answer.number)
    if answer.status == 429 or (answer.status >= 500 and not probe.may_fail):
        words = f"could not be seen: {answer.summary()}"
        return Observation(probe.place, "look", words, "A run judges it.", "target", answer.number)
    if otherwise := probe.otherwise(answer):
        found = f"the target is not as the profile says: {otherwise}"
        return Observation(probe.place, "wrong", found, probe.cure, "either", answer.number)
    return Observation(probe.place, "ok", probe.so, exchange=answer.number)


def _unknown_fields(asking: Asking) -> Iterator[Observation]:
    """Tells of fields of triggers that the documented request does not have."""
    path = next(iter(asking.suite.contract.known_by))
    document = asking.contract.document
    operation = resolve(document, document["paths"].get(path, {}).get("post", {}))
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    known = content.get("schema", {}).get("properties", {})
    for name, fields in asking.profile.triggers.items():
        if known and (unknown := [field for field in fields if field not in known]):
            yield Observation(
                f"triggers.{name}",
                "look",
                f"the documented request has no field {' or '.join(unknown)}",
                f"Documented are {', '.join(known)}. Is it spelled right? A field of the sandbox's own may be meant.",
                "profile",
            )
