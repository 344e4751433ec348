"""Both sides of a contract in one report: the run of the target, and the certification of the integration."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from rampcheck import digests
from rampcheck.errors import UsageError
from rampcheck.judging.results import Results
from rampcheck.options import SIDES
from rampcheck.report import files, signatures
from rampcheck.report import results as results_file
from rampcheck.report.html import asset, csp_hash, environment
from rampcheck.report.outline import outline

PAGE = "index.html"
PARTIES = {"target": "Vendor", "partner": "Partner"}  # who stands for each side, by its folder's name


def bind(target: Path, partner: Path, output: Path) -> Mapping[str, Results]:
    """Writes a folder with copies of both, and a page that tells both verdicts; gives the results by side.

    Raises `UsageError` where one is not of its side, they are of two contracts, or the folder is not empty,
    `ResultsError` where results are not valid, `OSError` where nothing can be written.
    """
    found = {"target": results_file.load(target), "partner": results_file.load(partner)}
    for side, place in (("target", target), ("partner", partner)):
        if not place.is_dir():
            raise UsageError(f"{place} is no folder", "Name the folder that a run wrote.")
        if ("side" in found[side]) != (side == "partner"):
            what = "a certification" if side == "target" else "a run of a target"
            raise UsageError(f"{place} is {what}", "First comes the run of the target, then the certification.")
    names = {results["contract"] for results in found.values()}
    if len(names) > 1:
        raise UsageError(f"the two are of two contracts, {' and '.join(sorted(names))}", "Name two of one contract.")
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(f"{output} is not empty", "Name another folder with --output.")
    for side, place in (("target", target), ("partner", partner)):
        copy = output / side
        copy.mkdir(parents=True)
        for file in sorted(place.iterdir()):
            if file.is_file():
                shutil.copyfile(file, copy / file.name)
    files.replace(output / PAGE, _page(output, found).encode())
    return found


def sentence(found: Mapping[str, Results]) -> str:
    """Says both verdicts in a line: `vendor: conformant; partner: conformant`."""
    told = (f"{PARTIES[side].lower()}: {outline(results).word.word.lower()}" for side, results in found.items())
    return "; ".join(told)


def signed(output: Path, side: str) -> str:
    """Says who has signed the copy of a side, as its attestation names them: whether that holds, `verify` tells."""
    place = output / side
    signers = signatures.saved(place, (place / results_file.FILE_NAME).read_bytes())
    told = [f"for the {signer.side} by {signer.name}, {signer.role}" for signer in signers]
    missing = [name for name in SIDES if name not in {signer.side for signer in signers}]
    lacks = f"not yet for the {' and the '.join(missing)}" if missing else ""
    return f"signed {'; '.join(filter(None, [*told, lacks]))}" if told else "signed by nobody yet"


def _page(output: Path, found: Mapping[str, Results]) -> str:
    templates = environment()
    css = asset(templates, "css", "both sides")
    sides = [
        {
            "name": side,
            "party": PARTIES[side],
            "results": results,
            "outline": outline(results),
            "digest": digests.of_file(output / side / results_file.FILE_NAME),
            "signed": signed(output, side),
        }
        for side, results in found.items()
    ]
    return templates.get_template("both.html.jinja").render(
        sides=sides, sentence=sentence(found), css=css, hash=csp_hash(css)
    )
