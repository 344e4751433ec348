"""Opening a run: whom pytest's options ask to be judged, how, and where it is written."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from rampcheck import options
from rampcheck.contract import descriptor, packs, register
from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile
from rampcheck.errors import UsageError, writing
from rampcheck.judging import suite as suites
from rampcheck.judging import waivers
from rampcheck.running import budgets, folder, launch, shards
from rampcheck.running.against import Against
from rampcheck.running.launch import Chosen
from rampcheck.running.run import Run, Settings
from rampcheck.running.shards import Shard
from rampcheck.sandbox import server as reference
from rampcheck.wire import receiver, transport

AGAINST = pytest.StashKey[Against]()
BASELINE = pytest.StashKey[int]()
EMBEDDED = (
    "the embedded reference was judged, a server of rampcheck's own: this says nothing of any other; "
    "name a profile, or --base-url, to judge yours"
)
ENVIRONMENT = "Write `environment:` into the profile, or name a --base-url."
REFERENCE = pytest.StashKey[reference.RunningReference]()


def of_controller(config: pytest.Config) -> Callable[[], Run]:
    """Gives what opens the run that the options ask for, and writes the first of it.

    Raises `UsageError` for what they cannot mean, before any request; so does what it gives, for a folder that takes
    nothing.
    """
    option = options.chosen(config.option)
    profile = _profile(config)
    if option.build:
        profile = profile.of_build(option.build)
    if profile.environment == "production" and not option.allow_production:
        raise UsageError("the profile says `environment: production`", "Only --allow-production lets a run touch it.")
    # A selection of nothing is told before a folder is made, or a request sent.
    known = register.of(profile)
    shard = shards.parsed(option.shard) if option.shard else None
    chosen = _chosen(profile, option, config.option.keyword, shard)
    is_part = bool(option.clause or config.option.keyword or shard) and chosen.budget is None
    waivers.check(profile.waivers, known)
    suites.load(profile.contract)  # takes its time, in which the run might be stopped without a trace
    transport.way_of(profile)
    if profile.webhook is not None and (shard is None or shard.index == 1):
        receiver.check(profile.webhook)
    config.stash[AGAINST] = Against(option.baseline, profile.contract)
    common = shards.common(profile.contract, os.environ) if shard else None
    if option.har:
        _demand_place(Path(option.har), Path(option.output or folder.REPORTS))
    output = folder.claimed(option.output, profile.contract)
    settings = Settings(
        run=common.run if common else secrets.token_hex(4),
        key=common.key if common else secrets.token_bytes(32),
        output=output,
        seed=option.seed,
        most_failures=1 if option.fail_fast else option.max_failures,
        patterns=tuple(option.clause),
        keyword=config.option.keyword,
        chosen=chosen.clauses,
        workers=getattr(config.option, "numprocesses", 0) or 0,
        strict=option.strict,
        require_complete=option.require_complete,
        allure=not option.no_allure,
        named_with=_named_with(option, profile),
        shard=shard,
        scenarios=chosen.scenarios,
        budget=chosen.budget,
        at_most=chosen.at_most,
        expected=launch.expected(profile, chosen, config.option.keyword) if is_part else 0,
    )

    def opened() -> Run:
        with writing(output, "Name another folder with --output."):
            run = Run(profile, settings)
            for note in (chosen.note, EMBEDDED if REFERENCE in config.stash else ""):
                if note:
                    run.judge.note(note)
            return run

    return opened


def _demand_place(file: Path, output: Path) -> None:
    """Raises `UsageError` where a file could not be written at the end of a run, which makes the folder `output`."""
    made = output.absolute()
    parent = file.absolute().parent
    if file.is_dir():
        why = "it is a folder"
    elif not parent.is_dir() and not made.is_relative_to(parent):
        why = f"there is no folder {file.parent}"
    elif (file.exists() or parent.is_dir()) and not os.access(file if file.exists() else parent, os.W_OK):
        why = "that is not permitted"
    else:
        return
    raise UsageError(f"{file} cannot be written: {why}", "Make its folder, or name another file with --har.")


def _named_with(option: SimpleNamespace, profile: Profile) -> tuple[str, ...]:
    """Gives the options that name the target; none where a profile's file does."""
    if option.profile:
        return ()
    named = ["--contract", profile.contract]
    if option.base_url:
        return (*named, "--base-url", profile.base_url)
    for kind in ("defect", "variant"):
        named += [word for name in getattr(option, kind) for word in (f"--{kind}", name)]
    return tuple(named)


def _chosen(profile: Profile, option: SimpleNamespace, keyword: str, shard: Shard | None) -> Chosen:
    """Gives what the options choose. Raises `UsageError` where they contradict each other."""
    if option.budget is not None and option.budget < 1:
        raise UsageError(f"--budget {option.budget} is no number of requests", "Give one from 1 on.")
    if option.budget is not None and (option.shard or option.thorough):
        other = "--shard takes a part" if option.shard else "--thorough sends all"
        raise UsageError(f"--budget sends less, and {other}", "Give one of them.")
    known = register.of(profile)
    if shard is not None:
        return launch.share(known, option.clause, keyword, shard)
    budget = budgets.of(profile, option.budget, thorough=option.thorough)
    if budget is None:
        return Chosen(launch.chosen(known, option.clause, keyword))
    return launch.within(profile, option.clause, keyword, budget)


def _profile(config: pytest.Config) -> Profile:
    option = options.chosen(config.option)
    if option.environment and (option.profile or not option.base_url):
        raise UsageError("--environment is for a target without a profile", ENVIRONMENT)
    if option.profile or option.base_url:
        target = (
            profiles.load(Path(option.profile), os.environ)
            if option.profile
            else profiles.from_environment(_contract_of(config), option.base_url, os.environ, option.environment)
        )
        return target.with_authorities(option.ca_bundle) if option.ca_bundle else target
    if option.shard:
        raise UsageError("--shard is for a target that all machines reach", "Name its profile, or its --base-url.")
    running = reference.start(
        _contract_of(config),
        option.defect,
        option.latency,
        variants=option.variant,
        webhook_url=f"http://127.0.0.1:{receiver.free_port()}/webhooks",
    )
    config.stash[REFERENCE] = running
    ending = ExitStack()
    ending.callback(running.stop)
    config.add_cleanup(ending.close)
    return profiles.from_mapping(running.profile(), {}, "the embedded reference")


def _contract_of(config: pytest.Config) -> str:
    """Gives the contract that is named, or whose suite alone is to be collected; else the first."""
    if named := options.chosen(config.option).contract:
        return str(named)
    places = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    meant = {
        name
        for pack in packs.packs()
        for name in pack.contracts
        for place in places
        if place.is_relative_to(pack.suite(name))
    }
    return meant.pop() if len(meant) == 1 else descriptor.contracts()[0]


def of_worker(config: pytest.Config) -> Callable[[], Run]:
    """Gives what opens the part in the run that an xdist worker has, with what the controller told it."""
    given = config.workerinput["rampcheck"]  # type: ignore[attr-defined]
    config.stash[BASELINE] = given["baseline"]
    described = given["reference"]
    profile = profiles.from_mapping(described, {}, "the embedded reference") if described else _profile(config)
    option = options.chosen(config.option)
    settings = Settings(
        run=given["run"],
        key=bytes.fromhex(given["key"]),
        output=Path(given["output"]),
        seed=option.seed,
        most_failures=1 if option.fail_fast else option.max_failures,
        patterns=tuple(option.clause),
        workers=given["workers"],
        began=given["began"],
        shard=shards.parsed(option.shard) if option.shard else None,
        budget=given["budget"],
        at_most=given["at_most"],
        scenarios=None if given["scenarios"] is None else frozenset(given["scenarios"]),
    )
    lane = int(config.workerinput["workerid"].removeprefix("gw")) + 1  # type: ignore[attr-defined]
    return partial(Run, profile, settings, lane)
