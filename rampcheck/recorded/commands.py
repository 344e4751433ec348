"""The command over recorded traffic: `rampcheck judge`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rampcheck.command import Command, contract_of_environment, pack_option
from rampcheck.errors import UsageError, writing
from rampcheck.report.text import plural

if TYPE_CHECKING:
    from rich.console import Console

    from rampcheck.recorded.files import File
    from rampcheck.recorded.traffic import Traffic

MOST_PLACES = 5  # that are named where nothing is addressed to the API


@click.command(cls=Command)
@pack_option
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--profile",
    metavar="FILE",
    type=click.Path(),
    help="Who is who: contract, base URL, whose credential is whose, what onboarding agreed on.",
)
@click.option("--contract", metavar="NAME", help="Without a profile: the contract.")
@click.option("--base-url", metavar="URL", help="Without a profile: where the API stands in the traffic.")
@click.option(
    "--at", "others", multiple=True, metavar="URL", help="Another address of the API. May be given several times."
)
@click.option("--output", metavar="DIR", help="Where to write; default: reports/<contract>-<UTC time>.")
@click.option("--build", metavar="TEXT", help="Which build of the target it was; before the profile's `subject.build`.")
@click.option("--strict", is_flag=True, help="Count a broken `should`, and a stale waiver, as a failure.")
def judge(  # noqa: PLR0913, PLR0917 - each is an option
    files: tuple[str, ...],
    profile: str | None,
    contract: str | None,
    base_url: str | None,
    others: tuple[str, ...],
    output: str | None,
    build: str | None,
    *,
    strict: bool,
) -> int:
    """Judges traffic that was recorded elsewhere, and sends nothing.

    FILE is an HTTP Archive (HAR 1.2) of a browser or a proxy, the journal or the folder of a run, or lines of JSON as
    `rampcheck schema traffic` has them. Several are judged together; what stands in two of them counts once.

    What holds for every exchange is judged, and what holds for all of them together. What has to be provoked is not
    verified, nor what needs something that is not recorded; so the verdict is at best `partial`. The report is written
    as that of a run, without secrets. The exit code is 0 where nothing that the traffic shows is broken, 1 where a
    `must` is, 4 for a file that cannot be read or holds nothing for this API, 5 where nothing could be judged or a
    file is cut off.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does without

    from rampcheck.contract import profile as profiles  # noqa: PLC0415 - as above
    from rampcheck.contract import register  # noqa: PLC0415 - as above
    from rampcheck.judging import suite as suites  # noqa: PLC0415 - as above
    from rampcheck.judging import waivers  # noqa: PLC0415 - as above
    from rampcheck.recorded import files as recorded  # noqa: PLC0415 - as above
    from rampcheck.recorded.judgement import Judgement  # noqa: PLC0415 - as above
    from rampcheck.recorded.owners import Addresses, Owners  # noqa: PLC0415 - as above
    from rampcheck.recorded.traffic import Traffic  # noqa: PLC0415 - as above
    from rampcheck.report.terminal import print_summary  # noqa: PLC0415 - as above
    from rampcheck.running import conclusion, folder  # noqa: PLC0415 - as above

    if profile and (contract or base_url):
        raise UsageError("a profile names its own contract and base URL", "Leave out --contract and --base-url.")
    if profile:
        known = profiles.load(Path(profile), os.environ)
    elif base_url:
        known = profiles.from_environment(contract or contract_of_environment(), base_url, os.environ)
    else:
        raise UsageError(
            "nothing says which API the traffic is of",
            "Name a --profile, or a --base-url; credentials come from the environment then.",
        )
    known = known.of_build(build) if build else known
    waivers.check(known.waivers, register.of(known))
    suite = suites.load(known.contract)
    opened = [recorded.opened(Path(name)) for name in dict.fromkeys(files)]
    traffic = Traffic(
        Addresses(known, others), Owners(known, suite), suite.contract.secret_headers, register.of(known).clauses
    )
    console = Console(stderr=True)
    with _progress(console, "Reading", sum(file.size for file in opened)) as advance:
        for file in opened:
            traffic.read(file, advance)
    traffic.end()
    is_asked = any(one.exchange.direction == "outgoing" for one in traffic.recordings)
    if not traffic.recordings or (traffic.elsewhere and not is_asked):  # a webhook names no API
        raise UsageError(
            _nothing(known.base_url, traffic, opened), "Is it recorded behind another address? Name it with --at."
        )
    place = folder.claimed(output, known.contract)
    with writing(place, "Name another folder with --output."):
        named = () if profile else ("--contract", known.contract, "--base-url", known.base_url)
        judgement = Judgement(known, traffic, place, strict=strict, named_with=named)
        with _progress(console, "Judging", len(traffic.recordings)) as advance:
            cut = "; ".join(file.cut for file in opened if file.cut)
            judgement.write([file.name for file in opened], list(_notes(opened, traffic)), cut, advance)
        concluded = conclusion.conclude(place)
    print_summary(concluded.results, Console(), place)
    return concluded.code


@contextmanager
def _progress(console: Console, what: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    # A pipe gets none of it, and no empty line either.
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.advance(task, done)


def _nothing(base_url: str, traffic: Traffic, opened: Sequence[File]) -> str:
    places = ", ".join(f"{place} ({times:,})" for place, times in traffic.elsewhere.most_common(MOST_PLACES))
    others = f"; it is addressed to {places}" if places else ""
    left = f"; {traffic.unanswered:,} requests were not answered" if traffic.unanswered else ""
    unusable = "".join(f"; {why}" for why in (*_broken(opened), *(file.cut for file in opened if file.cut)))
    if unusable and not (others or left):
        return f"nothing in the traffic can be used{unusable}"
    if not (others or left):
        return "there is no exchange in the traffic"
    return f"nothing in the traffic is addressed to the API at {base_url}{others}{left}{unusable}"


def _were(times: int) -> str:
    return "was" if times == 1 else "were"


def _broken(opened: Sequence[File]) -> Iterator[str]:
    for file in opened:
        if file.broken:
            yield f"{file.broken:,} entries of {file.name} are no exchanges, the first: {file.first_broken}"


def _notes(opened: Sequence[File], traffic: Traffic) -> Iterator[str]:
    """Gives what the reader of the reports should know of the traffic."""
    yield (
        "this traffic was recorded, not provoked: it shows what somebody happened to ask for, and nothing was asked "
        f"again; {plural(len(traffic.recordings), 'exchange')} of {', '.join(file.name for file in opened)} "
        f"{_were(len(traffic.recordings))} judged, examples are in the journal"
    )
    told = (
        (sum(traffic.elsewhere.values()), "request", "to another address", "left out"),
        (traffic.unanswered, "request", "that nobody answered", "left out"),
        (traffic.cached, "answer", "from a browser's cache", "left out"),
        (traffic.again, "exchange", "of which another is a copy", "judged once"),
    )
    yield from (f"{plural(times, noun)} {which} {_were(times)} {done}" for times, noun, which, done in told if times)
    yield from _broken(opened)
    if traffic.unknown_clauses:
        names = ", ".join(sorted(traffic.unknown_clauses)[:MOST_PLACES])
        yield f"a run is said to have seen clauses hold that the contract does not have, which counts nothing: {names}"
