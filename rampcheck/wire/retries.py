"""When a request is sent again after its answer, and how long is waited before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from rampcheck.contract.descriptor import Retry
from rampcheck.wire.exchanges import Exchange, http_date

LONGEST_WAIT = 60.0  # seconds; who asks for more is not asked again
MOST_DIGITS = 9  # of a number of seconds; RFC 9111 section 1.2.2 lets a recipient stop at 2147483648


# What holds for any API; a contract may say more (`retries` in its contract.yaml). RFC 6585 section 4, RFC 9110 section
# 10.2.3: 429 and 503 may say when. RFC 9110 section 15.5.9: after 408 the request may be repeated. 502 and 504 are a
# gateway's, and so are the statuses from 520, which IANA has not assigned and gateways have taken.
GATEWAY_RETRY = Retry(3, 0.2)
RETRIES = {
    408: GATEWAY_RETRY,
    429: Retry(3, 1.0),
    **dict.fromkeys((502, 503, 504, *range(520, 528), 530), GATEWAY_RETRY),
}
# A kept-alive connection may be closed by the server just as the next request is written (RFC 9112 section 9.3.1).
RESET_RETRY = Retry(1, 0.0)
NOTHING: Mapping[int, Retry] = {}


def wait_before_next(exchange: Exchange, documented: Mapping[int, Retry] = NOTHING) -> float | None:
    """Gives the seconds to wait before a request is sent again, None where this answer is the last.

    It grows with `exchange.attempt`, unless the target says how long it is to be: a target that names a moment, and
    refuses again after it, is not taken at its word, or `Retry-After: 0` would be asked for without a pause.
    `documented` is what the contract says of a status, in place of what holds for any API.
    """
    policy = _policy(exchange, documented)
    if policy is None or exchange.attempt > policy.times:
        return None
    asked = asked_wait(exchange)
    if asked is None:
        return policy.wait * float(2 ** (exchange.attempt - 1))
    least = policy.wait * float(2 ** (exchange.attempt - 2)) if exchange.retry_of else 0.0
    return max(asked, least) if asked <= LONGEST_WAIT else None


def _policy(exchange: Exchange, documented: Mapping[int, Retry]) -> Retry | None:
    if exchange.failure is not None:
        return RESET_RETRY if exchange.failure.kind == "reset" else None
    return documented.get(exchange.status) or RETRIES.get(exchange.status)


def asked_wait(exchange: Exchange) -> float | None:
    """Gives the seconds that `Retry-After` asks for, None where it asks for none that can be read.

    Source: RFC 9110 section 10.2.3. Whatever the target writes there, nothing is raised.
    """
    if exchange.response is None or exchange.status not in {429, 503}:
        return None
    value = (exchange.response.header("retry-after") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= MOST_DIGITS else float("inf")
    until = http_date(value)
    # By the clock of the target, which may be minutes from this machine's, where the answer tells it (section 6.6.1).
    now = http_date(exchange.response.header("date") or "") or datetime.now(UTC)
    return None if until is None else max(0.0, (until - now).total_seconds())


def is_locked(exchange: Exchange) -> bool:
    """Whether an answer asks for a longer wait than anybody keeps."""
    asked = asked_wait(exchange)
    return asked is not None and asked > LONGEST_WAIT


def throttling(exchange: Exchange) -> str:
    """Says of an answer with status 429 what it was, how long it asks to wait, and what to do about it."""
    asked = asked_wait(exchange)
    # The number, not the text: it is foreign, and part of it may be a secret.
    wait = (
        ", without a Retry-After that can be read"
        if asked is None
        else f" and asked to wait {asked:.0f} s (Retry-After)"
    )
    times = f"{len(exchange.attempts)} times in a row" if exchange.retry_of else "once"
    cure = (
        "that is the wait of a quota, or of a lock after requests that were refused: run again when it is over, with "
        "fewer requests (`--budget`), or ask the vendor to lift it for these credentials"
        if is_locked(exchange)
        else "lower `limits.requests_per_second` in the profile (`auto` learns it), or ask the vendor for a higher "
        "limit"
    )
    return f"exchange {exchange.number}: the target answered 429 (too many requests) {times}{wait}; {cure}"
