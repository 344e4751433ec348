"""What is signed: an in-toto Statement v1 about a run's files, with the predicate of a test's result.

Source: in-toto attestation framework v1 (statement, parsing rules), predicate test-result v0.1. What the predicate has
no member for stands in one of ours; it changes nothing of what the others say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from rampcheck.judging.results import Results
from rampcheck.options import SIDES
from rampcheck.report.signatures import OWN

TYPE = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
PROFILE = "profile"  # the one subject that is no file: it stands in the journal's first record
# Of what the digests of subjects are, where it is not the file as it lies there.
_MEANT = {
    "index.html": "the page without what stands between <!-- signatures --> and <!-- /signatures -->",
    PROFILE: "`profile` in the first record of journal.jsonl, as JSON: sorted keys, no white space, ASCII",
}
# Where a clause of each verdict stands. What is only observed was no test; ours has it.
_LISTS = {
    "passed": "passedTests",
    "failed": "failedTests",
    "advisory": "warnedTests",
    "waived": "warnedTests",
    "not_verified": "warnedTests",
    "attested": "warnedTests",
}


@dataclass(frozen=True)
class Signing:
    """What is the signer's alone: for which side, name, role, when (RFC 3339, UTC), the public key (hexadecimal)."""

    side: str
    name: str
    role: str
    signed: str
    key: str

    @property
    def who(self) -> str:
        """The name and the role, for a reader."""
        return f"{self.name}, {self.role}"


def of(results: Results, subjects: Mapping[str, str], signing: Signing, url: str = "") -> dict[str, Any]:
    """Gives the statement of one signer about valid `results` and the files with these digests.

    `url` is where the run can be looked at, "" where nobody said. The signer stands inside: so nobody can put another
    name to the signature.
    """
    return {
        "_type": TYPE,
        "subject": [_subject(name, digest) for name, digest in subjects.items()],
        "predicateType": PREDICATE,
        "predicate": _predicate(results) | ({"url": url} if url else {}) | {OWN: _own(results, signing)},
    }


def _subject(name: str, digest: str) -> dict[str, Any]:
    meant = {"annotations": {"of": _MEANT[name]}} if name in _MEANT else {}
    return {"name": name, "digest": {"sha256": digest}, **meant}


def _predicate(results: Results) -> dict[str, Any]:
    listed: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for clause in results["clauses"]:
        if clause["verdict"] in _LISTS:
            listed[_LISTS[clause["verdict"]]].append(clause["id"])
    return {"result": _result(results), "configuration": _configuration(results), **listed}


def _result(results: Results) -> str:
    """Gives PASSED only where every `must` was verified and nothing was seen broken, waived or not."""
    verdicts = {(clause["level"], clause["verdict"]) for clause in results["clauses"]}
    broken = {verdict for _, verdict in verdicts}
    if "failed" in broken:
        return "FAILED"
    unsure = {("must", "not_verified"), ("must", "attested")} & verdicts
    return "WARNED" if unsure or broken & {"advisory", "waived"} else "PASSED"


def _configuration(results: Results) -> list[dict[str, Any]]:
    told, target = results["digests"], results["target"]
    contract = {"contract": results["contract"], "version": results["contract_version"]}
    return [
        {"name": "suite", "uri": f"pkg:pypi/rampcheck@{results['rampcheck']}"},
        {"name": "register", "digest": {"sha256": told["register"]}, "annotations": contract},
        {"name": "document", "digest": {"sha256": told["document"]}, "annotations": contract},
        {
            "name": "target",
            "uri": target["base_url"],
            "annotations": {"environment": target["environment"], "build": results["subject"]["build"]},
        },
    ]


def _own(results: Results, signing: Signing) -> dict[str, Any]:
    return {
        "schema": 1,
        "run": results["run"],
        "verdict": results["verdict"],
        "started": results["started"],
        "finished": results["finished"],
        "seed": results["seed"],
        "strict": results["strict"],
        "counts": results["counts"],
        "scope": results["selection"],
        "observedTests": [clause["id"] for clause in results["clauses"] if clause["verdict"] == "observed"],
        "waivers": results["waivers"],
        "subject": results["subject"],
        "sign_off": results["sign_off"],
        "signer": asdict(signing),
    }


def signing_of(statement: Mapping[str, Any]) -> Signing:
    """Gives who signed, by a statement. Raises `ValueError` where it is none of ours."""
    try:
        if (statement["_type"], statement["predicateType"]) != (TYPE, PREDICATE):
            raise ValueError("it is a statement of another kind")
        own = statement["predicate"][OWN]
        signing = Signing(**own["signer"])
        for time in (signing.signed, own["finished"]):
            if datetime.fromisoformat(time).utcoffset() != timedelta():
                raise ValueError("it tells a time that is not in UTC")
        subjects_of(statement)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it is no statement of rampcheck") from error
    if signing.side not in SIDES or not all(isinstance(text, str) for text in asdict(signing).values()):
        raise ValueError("it does not say who signed, and for which side")
    return signing


def subjects_of(statement: Mapping[str, Any]) -> dict[str, str]:
    """Gives the digests of what was signed, by name. Raises `KeyError` or `TypeError` where it is no statement."""
    return {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
