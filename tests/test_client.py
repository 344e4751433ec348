"""The client: the vendor's retry policy, the network's faults, the limits; over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from rampcheck.contract import profile
from rampcheck.errors import Unjudged
from rampcheck.judging import suite
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.limits import Budget
from tests.answering import OK, answer, answering

REQUEST = Request("POST", "/widget/session", (("Content-Type", "application/json"),), b"{}", credential="client_token")
Sender = Callable[..., list[Exchange]]


@pytest.fixture
def exchanges_with(monkeypatch: pytest.MonkeyPatch) -> Sender:
    """Sends one request and gives all exchanges that came of it; the waits between them are skipped."""
    waits: list[float] = []
    monkeypatch.setattr("rampcheck.wire.client.time.sleep", waits.append)

    def send(
        base_url: str, budget: Budget | None = None, timeout: float = 10, request: Request = REQUEST
    ) -> list[Exchange]:
        described = profile.from_mapping(
            {
                "contract": "proof",
                "base_url": base_url,
                "credentials": {"client_token": "a-token-of-some-length"},
                "limits": {"timeout_seconds": timeout},
            },
            {},
        )
        seen: list[Exchange] = []
        authenticate = suite.load("proof").authenticate
        client = Client(described, authenticate, Lane("run", 1, 3), budget or Budget(0, 100), seen.append)
        try:
            client.send(request, "a test")
        except Unjudged as error:
            seen.append(error)  # type: ignore[arg-type]
        client.close()
        send.waits = list(waits)  # type: ignore[attr-defined]
        return seen

    return send


@pytest.mark.parametrize(("status", "times"), [(502, 3), (500, 1), (503, 3), (504, 3), (429, 3)])
def test_an_answer_is_retried_as_documented(exchanges_with: Sender, status: int, times: int) -> None:
    """502 is retried with growing pauses, 500 once; each try is an exchange, and only the last one is final."""
    with answering(*[answer(status)] * times, OK) as base_url:
        seen = exchanges_with(base_url)
    assert [exchange.status for exchange in seen] == [status] * times + [200]
    assert [exchange.attempt for exchange in seen] == list(range(1, times + 2))
    assert [exchange.final for exchange in seen] == [False] * times + [True]
    waits = exchanges_with.waits  # type: ignore[attr-defined]
    assert len(waits) == times
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))
    assert [attempt.number for attempt in seen[-1].attempts] == [exchange.number for exchange in seen]


def test_a_final_500_is_given_to_the_caller(exchanges_with: Sender) -> None:
    """A 500 after its one retry is the answer."""
    with answering(answer(500), answer(500), OK) as base_url:
        assert [exchange.status for exchange in exchanges_with(base_url)] == [500, 500]


def test_retry_after_is_honoured(exchanges_with: Sender) -> None:
    """429 waits as long as it asks for."""
    with answering(answer(429, "Retry-After: 7"), OK) as base_url:
        assert [exchange.status for exchange in exchanges_with(base_url)] == [429, 200]
    assert exchanges_with.waits == [7.0]  # type: ignore[attr-defined]


def test_retry_after_a_moment_is_read_by_the_clock_of_the_target(exchanges_with: Sender) -> None:
    """Its clock may be minutes or years from this machine's: what counts is how far its moment is from its `Date`."""
    date, until = "Date: Wed, 21 Oct 2015 07:28:00 GMT", "Retry-After: Wed, 21 Oct 2015 07:28:03 GMT"
    with answering(answer(429, date, until), OK) as base_url:
        assert [exchange.status for exchange in exchanges_with(base_url)] == [429, 200]
    assert exchanges_with.waits == [3.0]  # type: ignore[attr-defined]


def test_retry_after_nothing_is_no_wait(exchanges_with: Sender) -> None:
    """429 that asks for no wait gets none."""
    with answering(answer(429, "Retry-After: 0"), OK) as base_url:
        assert [exchange.status for exchange in exchanges_with(base_url)] == [429, 200]
    assert exchanges_with.waits == [0.0]  # type: ignore[attr-defined]


def test_a_wait_that_is_too_long_is_not_judged(exchanges_with: Sender) -> None:
    """429 that asks for an hour is no answer to judge."""
    with answering(answer(429, "Retry-After: 3600")) as base_url:
        seen = exchanges_with(base_url)
    assert len(seen) == 2
    assert "429" in str(seen[1])


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", "truncated"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}", "truncated"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "truncated"),
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", "encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b" " * 300_000, "too_large"),
        (b"HTTP/1.1 200 OK\r\nX-Large: " + b"x" * 200_000 + b"\r\n\r\n{}", "too_large"),
    ],
    ids=["short body", "short chunk", "no HTTP", "nothing", "no gzip", "too large", "too large a header"],
)
def test_what_the_network_does_is_no_answer(exchanges_with: Sender, content: bytes, kind: str) -> None:
    """An answer that did not arrive whole is a failure with its reason; only what is too large cannot be judged."""
    with answering(content, content) as base_url:
        seen = exchanges_with(base_url)
    errors = [error for error in seen if isinstance(error, Unjudged)]
    failures = [exchange.failure for exchange in seen if exchange not in errors]
    assert {failure.kind for failure in failures if failure} == {kind}
    assert all(failure and ("127.0.0.1" in failure.detail or kind == "too_large") for failure in failures)
    assert len(errors) == (kind == "too_large")
    assert all(exchange.is_silent for exchange in seen if exchange not in errors) == (kind != "too_large")


def test_a_connection_that_ends_before_an_answer_is_tried_again(exchanges_with: Sender) -> None:
    """A server may close a kept connection just as it is used again: once more on a new one."""
    with answering(b"", OK) as base_url:
        seen = exchanges_with(base_url)
    assert [exchange.status for exchange in seen] == [0, 200]
    assert [exchange.final for exchange in seen] == [False, True]


def test_silence_is_a_timeout(exchanges_with: Sender) -> None:
    """A target that does not answer is given up after the profile's timeout."""
    with answering(b"HTTP/1.1 200 OK\r\n", close=False) as base_url:
        (exchange,) = exchanges_with(base_url, timeout=0.2)
    assert exchange.failure is not None
    assert exchange.failure.kind == "timeout"
    assert "0.2 s" in exchange.summary()


def test_plain_text_where_tls_is_expected(exchanges_with: Sender) -> None:
    """A target that does not speak TLS is a failure of that kind."""
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as base_url:
        (exchange,) = exchanges_with(base_url.replace("http:", "https:"), timeout=2)
    assert exchange.failure is not None
    assert exchange.failure.kind in {"tls", "timeout"}


def test_redirects_are_not_followed(exchanges_with: Sender) -> None:
    """A redirect is the answer: the token goes nowhere else."""
    with answering(answer(307, "Location: http://127.0.0.1:9/elsewhere"), OK) as base_url:
        assert [exchange.status for exchange in exchanges_with(base_url)] == [307]


def test_the_budget_ends_the_sending(exchanges_with: Sender) -> None:
    """Where the run's requests are used up, nothing more is sent, and the reason says what to raise."""
    with answering(answer(502), OK) as base_url:
        *seen, error = exchanges_with(base_url, Budget(0, 1))
    assert [exchange.status for exchange in seen] == [502]
    assert "limits.max_requests" in str(error)


def test_exchange_numbers_and_user_agent_name_the_exchange(exchanges_with: Sender) -> None:
    """The second of three lanes numbers its exchanges 2, 5, 8, and the User-Agent says so."""
    with answering(answer(502), answer(502), OK) as base_url:
        seen = exchanges_with(base_url)
    assert [exchange.number for exchange in seen] == [2, 5, 8]
    assert "(run run; exchange 8)" in (seen[-1].request.header("user-agent") or "")


def test_a_request_may_name_another_program_and_accept_something_else(exchanges_with: Sender) -> None:
    """The exchange is named all the same, and no header stands there twice."""
    request = replace(REQUEST, headers=(("User-Agent", "axios/1.7.9"), ("Accept", "text/plain")))
    with answering(OK) as base_url:
        (seen,) = exchanges_with(base_url, request=request)
    agents = [value for name, value in seen.request.headers if name.lower() == "user-agent"]
    assert [agent.partition(" ")[0] for agent in agents] == ["axios/1.7.9"]
    assert "exchange 2)" in agents[0]
    assert [value for name, value in seen.request.headers if name.lower() == "accept"] == ["text/plain"]


def test_the_rate_holds_over_processes_that_share_a_folder(tmp_path: Path) -> None:
    """Two budgets with one folder together stay under the rate: the bucket holds what both have taken."""
    budgets = [Budget(1000, 50, tmp_path / "shared") for _ in range(2)]
    for budget in budgets:
        for _ in range(20):
            budget.take()
    buckets = [budget._limiter.bucket_factory.bucket for budget in budgets if budget._limiter]  # type: ignore[attr-defined]
    assert {bucket.count() for bucket in buckets} == {40}


def test_the_budget_is_one_for_all_workers(tmp_path: Path) -> None:
    """Whoever sends them, over however many threads: 40 requests are let through, and the next is not."""
    budgets = [Budget(0, 40, tmp_path / "shared") for _ in range(2)]
    with ThreadPoolExecutor(8) as threads:
        for taken in [threads.submit(budgets[number % 2].take) for number in range(30)]:
            taken.result()
    for _ in range(10):
        budgets[0].take()
    for budget in budgets:
        with pytest.raises(Unjudged, match=r"the 40 requests .* used up; raise `limits.max_requests`"):
            budget.take()


def test_each_attempt_has_a_moment_and_a_nonce_of_its_own() -> None:
    """An authentication may sign them: what is sent again is signed anew, and taken for right credentials."""
    described = profile.from_mapping(
        {
            "contract": "proof",
            "base_url": "http://127.0.0.1:1",
            "credentials": {"client_token": "a-token-of-20-signs."},
        },
        {},
    )
    seen: list[Exchange] = []

    def signed(request: Request, _: profile.Profile) -> Request:
        return request.with_default("X-Signed", f"{request.nonce} {request.at}")

    with answering(answer(502, "Retry-After: 0"), OK) as base_url:
        client = Client(replace(described, base_url=base_url), signed, Lane("run"), Budget(0, 100), seen.append)
        client.send(REQUEST, "a test")
        client.close()
    first, second = ((exchange.request.header("X-Signed") or "").split() for exchange in seen)
    assert [exchange.authenticated for exchange in seen] == [True, True]
    assert len({first[0], second[0], ""}) == 3
    assert 0 < float(first[1]) <= seen[0].started < float(second[1]) <= seen[1].started
