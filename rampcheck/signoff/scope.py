"""What a signature is about, in words: of which run it is, and what it covers though nobody verified it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rampcheck.judging.results import Results, SubjectResult
from rampcheck.report.outline import RUN_VERDICTS, reach
from rampcheck.report.text import enumerated, moment, plural
from rampcheck.signoff.contents import PAGE

# What is signed of a run of which that was not given, by the place in the profile that gives it.
NAMELESS: Mapping[str, str] = {
    "subject.build": "No build is named: nobody can tell later what was judged",
    "environment": "No environment is named: nobody can tell later which one was judged",
    "subject.partner": "No partner is named",
    "subject.requested_by": "Nobody is named who asked for the run",
}


NOBODY: SubjectResult = {"partner": "", "build": "", "requested_by": ""}  # of results from before it was asked for
EMBEDDED = "The embedded reference was judged, a server of rampcheck's own: this says nothing of any other."


def is_embedded(results: Results) -> bool:
    """Whether no target was named, by a profile or a --base-url: then it was rampcheck's own."""
    named = results.get("named_with")
    return bool(named) and "--base-url" not in (named or ())


def described(results: Results) -> str:
    """Says in a line of which run results are: build, target, environment, partner, run, when it was judged."""
    subject, target = results.get("subject", NOBODY), results["target"]
    told = [
        f"Build {subject['build']}" if subject["build"] else "No build named",
        f"{'with the sandbox' if 'side' in results else 'at'} {target['base_url']}",
        f"environment {target['environment']}" if target["environment"] else "no environment named",
        f"partner {subject['partner']}" if subject["partner"] else "no partner named",
        f"run {results['run']}",
        f"judged {moment(results['started'])}: {RUN_VERDICTS[results['verdict']].word}",
    ]
    return ", ".join(told)


def reservations(results: Results) -> list[str]:
    """Says in a sentence each what is signed though it was not verified, seen, or kept: whoever signs should know."""
    told = [EMBEDDED] if is_embedded(results) else []
    told += _nameless(results)
    if limited := reach(results):
        told.append(limited)
    gaps = [clause for clause in results["clauses"] if clause["verdict"] == "not_verified"]
    if gaps:
        musts = sum(clause["level"] == "must" for clause in gaps)
        told.append(
            f"{plural(len(gaps), 'clause')} not verified, {musts} of them required: "
            f"{PAGE}#not-verified says which, why, and what to do."
        )
    attested = [clause["id"] for clause in results["clauses"] if clause["verdict"] == "attested"]
    if attested:
        told.append(
            f"{plural(len(attested), 'clause')} attested, which nobody outside can see, and for which the partner "
            f"stands: {enumerated(attested)} ({PAGE}#attested)."
        )
    for waiver in results["waivers"]:
        lacks = [name for name in ("owner", "approver") if not waiver.get(name)]
        state = f"The waiver of {waiver['clause']} is {waiver['state']}"
        told.append(f"{state}, and names no {' and no '.join(lacks)}." if lacks else f"{state}.")
    return told


def _nameless(results: Results) -> Iterator[str]:
    """Says what is not known of the run that is signed."""
    given = {"environment": results["target"]["environment"]}
    given |= {f"subject.{name}": str(value) for name, value in results.get("subject", NOBODY).items()}
    yield from (f"{text} (`{place}` in the profile)." for place, text in NAMELESS.items() if not given[place])
