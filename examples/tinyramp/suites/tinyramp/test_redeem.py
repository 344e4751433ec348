"""POST /v1/sessions/{id}/redeem."""

import time

import pytest
from rampcheck.running.scenario import Accepted, Target

from .refusals import EXPIRED, REDEEMED
from .requests import redemption

LIFETIME = 1  # seconds, the shortest that a session may be asked for
MARGIN = 1.0  # seconds by which it has to be over: a target may count whole ones


@pytest.mark.verifies("tinyramp.redeem.first", "tinyramp.redeem.once")
def test_a_session_is_redeemed_once(accepted: Accepted) -> None:
    """The link works, and then it does not."""
    redeem = redemption(accepted.exchange)
    first = accepted.instead(redeem, "the id of a new session").is_accepted(clause="tinyramp.redeem.first")
    for which in ("second", "third") if first.accepted else ():
        accepted.instead(redeem, f"the id of a redeemed session, for the {which} time").is_refused(
            REDEEMED, clause="tinyramp.redeem.once"
        )


@pytest.mark.verifies("tinyramp.redeem.expired")
def test_an_expired_session_is_not_redeemed(target: Target) -> None:
    """After its end the link does not work, although nobody has used it."""
    short = target.accepted(expires_in=LIFETIME)
    # Nothing tells of an end but the time; what has passed since the answer counts.
    time.sleep(max(0.0, short.exchange.ended + LIFETIME + MARGIN - time.time()))
    short.instead(redemption(short.exchange), "the id of an expired session").is_refused(EXPIRED)
