"""What names a request to the target's tracing, and by what a vendor finds the exchange of a finding."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

import pytest

from rampcheck.comparison.shape import shape
from rampcheck.contract import profile as profiles
from rampcheck.judging import evidence, suite
from rampcheck.judging.history import never_repeated
from rampcheck.judging.results import Results
from rampcheck.judging.suite import Broken
from rampcheck.report import junit, summary
from rampcheck.report.commands import Commands
from rampcheck.report.html import render
from rampcheck.wire import tracing
from rampcheck.wire.client import Client, Lane
from rampcheck.wire.exchanges import Exchange, Request, Response, Sent
from rampcheck.wire.limits import Budget
from tests import samples
from tests.hostile import target as hostile_target

KEY = b"a key of a run"
ASKED = Request("POST", "/widget/session", body=b"{}", credential="client_token")


def sent(lane: Lane, *scenarios: str, **sections: Any) -> list[str]:
    """Gives the traceparent headers of requests of these scenarios, as they stand in their exchanges."""
    with hostile_target.serve(hostile_target.answering(lambda: hostile_target.whole(b"{}"))) as base_url:
        credentials = {"client_token": "a-token-of-some-length"}
        given = {"contract": "proof", "base_url": base_url, "credentials": credentials, **sections}
        seen: list[Exchange] = []
        authenticate = suite.load("proof").authenticate
        client = Client(profiles.from_mapping(given, {}), authenticate, lane, Budget(0, 100), seen.append)
        for scenario in scenarios:
            client.send(ASKED, scenario)
        client.close()
    return [exchange.request.header("traceparent") or "" for exchange in seen]


def test_a_trace_is_a_scenario_and_a_span_an_exchange() -> None:
    """In the form of W3C Trace Context; another worker names other spans, another run other traces."""
    first, second, other = sent(Lane("run", 1, 3, key=KEY), "one", "one", "two")
    for header in (first, second, other):
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", header)
    assert first[:36] == second[:36] != other[:36]
    (beside,) = sent(Lane("run", 2, 3, key=KEY), "one")
    assert beside[:36] == first[:36]
    (again,) = sent(Lane("run", 1, 3, key=b"another key"), "one")
    spans = {header[36:] for header in (first, second, other, beside, again)}
    assert again[:36] != first[:36]
    assert len(spans) == 5


def test_spans_are_unique_over_workers() -> None:
    """As the numbers of exchanges are."""
    lanes = [Lane("run", index, 5, key=KEY) for index in range(5)]
    numbers = [number for lane in lanes for number in islice(lane.numbers(), 300)]
    assert len({tracing.of_exchange(KEY, "one", number).span for number in numbers}) == 1500


def test_one_line_of_the_profile_turns_it_off() -> None:
    """Then nothing is sent."""
    assert sent(Lane("run"), "one", traceparent=False) == [""]


@pytest.mark.parametrize(
    ("value", "is_one"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n", False),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (f"00-4bf92f3577b34da6a3ce929d0e0e4736-{'0' * 16}-01", False),
        ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", False),
        ("[redacted headers_traceparent 0123456789ab]", False),
    ],
)
def test_what_no_header_of_a_trace_is(value: str, is_one: bool) -> None:
    """Whatever stands there, it is read as one, or as none."""
    assert (tracing.of_headers((("TraceParent", value),)) is not None) is is_one


def exchange(number: int, value: str, *, trace: str = "", scenario: str = "one") -> Exchange:
    """Gives an exchange whose answer has this request id."""
    header = trace or tracing.of_exchange(KEY, scenario, number).header
    request = Sent("POST", "https://sandbox.example/", (("traceparent", header),), b"")
    return Exchange(number, scenario, request, Response(400, (("x-request-id", value),), b""), 0.0, 0.0, "/")


def test_a_request_id_may_be_the_trace() -> None:
    """It repeats because this run says so; any other one that repeats is a breach, as is one of another trace."""
    block = never_repeated(
        "proof.errors.request-id",
        "id",
        lambda _: True,
        lambda one: one.response and one.response.header("x-request-id"),
    )
    trace = tracing.of_exchange(KEY, "one", 1).trace
    dashed = f"{trace[:8]}-{trace[8:12]}-{trace[12:16]}-{trace[16:20]}-{trace[20:]}"

    def broken(*seen: Exchange) -> int:
        profile = profiles.from_environment(
            "proof", "https://sandbox.example", {"PROOF_CLIENT_TOKEN": "token-of-the-tests"}
        )
        return sum(isinstance(told, Broken) for told in block.judge(seen, profile))

    assert broken(exchange(1, trace), exchange(2, trace)) == 0
    assert broken(exchange(1, dashed.upper()), exchange(2, dashed.upper())) == 0
    assert broken(exchange(1, trace), exchange(2, trace, scenario="two")) == 1
    assert broken(exchange(1, trace), exchange(2, trace, trace="none")) == 1
    assert broken(exchange(1, "same"), exchange(2, "same")) == 1


# What is told.

SPAN = tracing.of_exchange(KEY, "one", 17)


def traced(number: int = 17) -> dict[str, Any]:
    """Gives the record of an exchange with its trace."""
    record = samples.exchange(number)
    record["request"] = {**record["request"], "headers": [*record["request"]["headers"], ["traceparent", SPAN.header]]}
    return record


def test_a_journal_tells_the_trace_of_each_exchange() -> None:
    """Read back from the header, as it was sent."""
    assert evidence.collect([traced(), samples.exchange(18)]).spans == {17: SPAN}  # type: ignore[list-item]


def test_a_finding_is_found_by_its_trace() -> None:
    """In the report, the summary and JUnit's file, beside each finding."""
    results: Results = samples.results()  # type: ignore[assignment]
    told = [finding for clause in results["clauses"] for finding in clause["findings"]]
    before = render(results, {}) + summary.render(results) + junit.render(results).decode()
    assert SPAN.trace not in before
    for finding in told:
        finding["trace"], finding["span"] = SPAN.trace, SPAN.span
    assert render(results, {}).count(SPAN.trace) >= len(told)
    assert SPAN.trace in summary.render(results)
    assert f"trace: {SPAN.trace}, span {SPAN.span}" in junit.render(results).decode()


def test_a_command_names_no_trace() -> None:
    """What is pasted is no exchange of the run."""
    command = Commands({17: traced()}, {}).of(traced())  # type: ignore[dict-item,arg-type]
    assert command.text.startswith("curl")
    assert "traceparent" not in command.text


def test_what_a_target_echoes_differs_in_no_comparison() -> None:
    """Ids of another run, whatever their digits, are no difference."""
    first, second = (f"traceresponse: 00-{digit * 32}-{digit * 16}-01" for digit in "1a")
    assert shape(first) == shape(second)
