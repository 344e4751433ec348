"""What a signature is about, in words: of which run it is, and what it covers though nobody verified it."""

from __future__ import annotations

from rampcheck.judging.results import Results
from rampcheck.report.outline import RUN_VERDICTS, reach
from rampcheck.report.text import enumerated, moment, plural
from rampcheck.signoff.contents import PAGE


def described(results: Results) -> str:
    """Says in a line of which run results are: build, target, environment, partner, run, when it was judged."""
    subject, target = results["subject"], results["target"]
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
    told = [limited] if (limited := reach(results)) else []
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
