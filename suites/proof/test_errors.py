"""Errors: envelope, table, request id (errors page). Every error of a run is judged by the schema and the invariants;
these scenarios provoke one of each kind."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from rampcheck.errors import Unjudged
from rampcheck.judging.demands import Acceptance, Demand, Rejection
from rampcheck.running.scenario import Accepted, Target
from rampcheck.wire.exchanges import Request

from .asking import demand, transaction_of
from .requests import BROWSER, poll, with_headers

PROVIDER_ERROR = Rejection([502], {"error": ["upstream_error"], "code": ["provider_error"]})


@pytest.mark.verifies(
    "proof.errors.envelope",
    "proof.errors.media-type",
    "proof.errors.matrix",
    "proof.errors.request-id",
    "proof.errors.no-session",
    "proof.errors.no-internals",
    "proof.errors.gateway-envelope",
)
def test_one_error_of_each_kind(accepted: Accepted) -> None:
    """Refusals for the token, the origin, the body, a field and the currency keep the promises of every error.

    What a browser would rather have makes no difference; other scenarios send the same without its headers.
    """
    accepted.without("amount").send()
    for attempt in (
        accepted.with_header("Authorization", None),
        accepted.with_header("Origin", "https://unregistered.rampcheck.example"),
        accepted.with_body(b"{", "a body that is no JSON"),
        # The same refusal again: its request id is another one.
        accepted.without("amount"),
        accepted.but(currency="RAMPCHECKX"),
    ):
        accepted.instead(with_headers(attempt.request, BROWSER), f"{attempt.change}, headers of a browser").send()


@pytest.mark.verifies("proof.errors.upstream")
def test_a_provider_failure_heals_by_sending_the_same_body_again(
    accepted: Accepted, target: Target, once_known: Callable[[Accepted, Request], Accepted]
) -> None:
    """A failing provider gives 502 upstream_error provider_error, and the same body works when sent again.

    It does so if its transaction is known, as that of another session is.
    """
    healed, is_known = Demand(target.clause, Acceptance("a session"), "for the same body sent again"), False
    for is_last in (False, True):
        # With an e-mail address of its own: a target may take each address for one user only.
        failing = target.plain(accepted.credential).but(**target.trigger("upstream_error_once"))
        last = target.once(failing)
        attempts = list(last.attempts)
        if last.response is None or last.status >= 500:
            last = target.once(failing)
            attempts += last.attempts
        # No answer and 429 come from before the provider, another 5xx may: then another attempt met the failure.
        failures = [attempt for attempt in attempts if attempt.status not in {0, 429} and not attempt.accepted]
        failure = next(filter(PROVIDER_ERROR.fits, failures), failures[0] if failures else None)
        if failure is not None and PROVIDER_ERROR.fits(failure):
            # By its envelope it is the target's own: what is wrong with it besides needs no other look.
            target.judge.record(target.judge.doubted(failure))
            if last.accepted:
                target.demand(last, healed, accepted.exchange)
                with suppress(Unjudged):  # Where no transaction is ever known, that is another clause's affair.
                    once_known(accepted, poll(transaction_of(accepted.exchange), accepted.credential))
                    is_known = True
                if is_known:
                    question = poll(transaction_of(last), accepted.credential)
                    demand(target, target.clause, question, Accepted(target, failing, last))
                return
        if not is_last:
            target.confirm(accepted.request)  # Another failure has to come a second time, with a control between.
    if failure is None:
        raise Unjudged("the profile's trigger `upstream_error_once` did not make the target fail")
    if PROVIDER_ERROR.fits(failure):
        target.demand(last, healed, accepted.exchange)
        return
    target.judge.record(target.judge.doubted(failure))
    target.demand(failure, Demand(target.clause, PROVIDER_ERROR, "while the provider fails"), accepted.exchange)
