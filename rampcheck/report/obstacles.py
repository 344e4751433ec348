"""What stands between a run and a signature, each with the place on the page that tells more."""

from __future__ import annotations

from dataclasses import dataclass

from rampcheck.judging.results import Results
from rampcheck.report.outline import Lead, Outline
from rampcheck.report.text import plural

SIGNABLE = ("conformant", "conformant_with_gaps")


@dataclass(frozen=True)
class Obstacle:
    """One thing in the way: a text (foreign words may be in it), and the id of the place that tells more."""

    text: str
    place: str


def obstacles(results: Results, outline: Outline) -> tuple[Obstacle, ...]:
    """Gives all that stands between the run and a signature, the gravest first; nothing where it can be signed."""
    if results["verdict"] in SIGNABLE:
        return ()
    return (*_of_the_target(results, outline), *_of_the_run(results, outline))


def _of_the_target(results: Results, outline: Outline) -> list[Obstacle]:
    found = [Obstacle(_broken(lead), f"failed.{lead.clause['id']}") for lead in outline.leads["failed"]]
    if results.get("strict"):
        found += [
            Obstacle(f"{lead.clause['id']} is advisory, and the run is strict", f"failed.{lead.clause['id']}")
            for lead in outline.leads["advisory"]
        ]
        found += [
            Obstacle(f"the waiver of {waiver['clause']} is stale, and the run is strict", "waivers")
            for waiver in results.get("waivers", ())
            if waiver["state"] == "stale"
        ]
    return found


def _broken(lead: Lead) -> str:
    more = f" (and {len(lead.followers):,} more that follow)" if lead.followers else ""
    return f"{lead.clause['id']} failed{more}"


def _of_the_run(results: Results, outline: Outline) -> list[Obstacle]:
    found = [
        Obstacle(
            "The target began to refuse everything"
            if outage.get("refuses")
            else "The target began to let nothing through"
            if outage["detail"].startswith("429")
            else "The target stopped answering, and did not come back",
            f"outage-{number}",
        )
        for number, outage in enumerate((one for one in outline.outages if one["ended"] is None), start=1)
    ]
    if results["faults"]:
        found.append(Obstacle(f"{plural(len(results['faults']), 'fault')} of rampcheck itself", "notes"))
    if results["verdict"] == "inconclusive":
        found.append(Obstacle(outline.sentence, "about"))
    elif outline.early_end:
        found.append(Obstacle(outline.early_end, "about"))
    found += [
        Obstacle(f"{plural(number, 'required promise')} not verified: {gap.reason}", f"gaps-{gap.group}")
        for gap in outline.gaps
        if gap.kind == "unexpected" and (number := sum(clause["level"] == "must" for clause in gap.clauses))
    ]
    if results["verdict"] == "partial":
        rest = sum(clause.get("gap") == "unselected" for clause in results["clauses"])
        found.append(Obstacle(f"{plural(rest, 'promise')} not selected", "gaps-unselected"))
    return found
