"""Results and exchanges of runs that never were: every verdict, and whatever a hostile target could send."""

from __future__ import annotations

import base64
import json
from collections import Counter
from typing import Any

BASE_URL = "https://sandbox.example"
SESSION_URL = f"{BASE_URL}/widget/session"

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</pre></details><h1>owned</h1>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)",
    "NUL \x00 escape \x1b[31mred\x1b[0m bell \x07",
    "turned \u202egnp.exe\u202c \u2066around\u2069 zero\u200bwidth",
    "surrogate \ud800 noncharacter \ufffe",
    "| pipe ` tick * star _ line <b> [link](https://evil.example) ![i](https://evil.example/x) @team #1 $x$",
    "two\nlines\rand\u2028a third",
    "x" * 10_000,
    "]]> <!-- --> &amp; %00",
)

SESSION = {
    "merchant_transaction_id": "0b0a5d1e-8a6b-4c8e-9a51-2f6f0e9f3a10",
    "widget_id": "fb359d09-27c8-4d6e-b1c5-0f6f3cbb2b11",
    "address": "TQ5pJ7yY3mN1kqkV4p4cQyqV1mK3z9S8aB",
    "signature": "[redacted signature a91c03]",
    "init_token": "[redacted init_token 77e0d2]",
    "init_token_type": "sdk_partner_authorization",
    "currency": "USDT",
    "currencies": ["USDT", "USDC"],
    "fix_currency": True,
    "network": "TRC20",
    "networks": ["TRC20", "ERC20"],
    "fix_network": "TRC20",
    "amount": "99.5",
    "fix_amount": True,
    "fiat_currency": "EUR",
    "fiat_currencies": ["EUR", "GBP"],
    "fix_fiat_currency": False,
    "fix_fiat_amount": True,
    "type": "buy",
    "lang": "en",
    "theme": "light",
    "redirect_url": "https://partner.example/done",
}

REQUEST = (
    '{"partner_user_id":"user-0042","user_email":"[redacted email 5be0c1]",'
    '"network":"TRC20","currency":"USDT","amount":"99.50"}'
)

SECTIONS = [
    {"id": "proof.auth", "title": "Authentication and access"},
    {"id": "proof.session.request", "title": "POST /widget/session: the request"},
    {"id": "proof.session", "title": "POST /widget/session: the response"},
    {"id": "proof.errors", "title": "Errors"},
]


def exchange(number: int, status: int = 200, body: str = "", request: str = REQUEST, **changes: Any) -> dict[str, Any]:
    """The journal's record of one request for a session; `changes` replace whole members of it."""
    return {
        "kind": "exchange",
        "number": number,
        "protocol": "http",
        "direction": "outgoing",
        "scenario": "suites/proof/test_session.py::test_echo[99.50]",
        "started": "2026-11-21T07:00:00.123456Z",
        "elapsed_ms": 41.37,
        "attempt": 1,
        "final": True,
        "credential": "client_token",
        "authenticated": True,
        "path": "/widget/session",
        "request": {
            "method": "POST",
            "url": SESSION_URL,
            "headers": [
                ["Host", "sandbox.example"],
                ["Authorization", "Bearer [redacted client_token 3f9a2c]"],
                ["Content-Type", "application/json"],
                ["Content-Length", str(len(request))],
            ],
            "body": request,
            "encoding": "utf-8",
        },
        "response": {
            "status": status,
            "headers": [["content-type", "application/json"], ["x-request-id", f"req-{number:04}"]],
            "body": body or json.dumps(SESSION),
            "encoding": "utf-8",
        },
        "failure": None,
        "messages": [],
        "cut": "",
        "held": [],
        **changes,
    }


def exchanges() -> dict[int, dict[str, Any]]:
    """Exchanges of every kind: answered, lost, not UTF-8, a webhook, a WebSocket, hostile, long."""
    error = json.dumps({"error": "unauthorised", "code": "invalid_token", "message": "The token is not known."})
    binary = base64.b64encode(b"\xff\xfe\x00{").decode()
    hostile = json.dumps({"message": HOSTILE, "99.50": 99.50}, ensure_ascii=True)
    records = [
        exchange(3, 401, error),
        exchange(9, 200),
        exchange(17, 200),
        exchange(21, 500, "<html><script>alert(1)</script>\x00\x1b[2J Traceback \u202e(most recent call last)"),
        exchange(22, 400, hostile, request="\n".join(HOSTILE[:-2])),
        exchange(23, 200, json.dumps({"long": "y" * 12_000})),
        exchange(24, response=None, failure={"kind": "timeout", "detail": "no response within 10 s"}),
        exchange(25, 400, error, request=binary),
        exchange(
            30,
            protocol="webhook",
            direction="incoming",
            credential=None,
            response={"status": 204, "headers": [], "body": "", "encoding": "utf-8"},
        ),
        exchange(
            31,
            101,
            protocol="websocket",
            messages=[
                {
                    "direction": "incoming",
                    "at": "2026-11-21T07:00:02.000001Z",
                    "kind": "text",
                    "body": '{"event":"tx.update","status":"completed"}',
                    "encoding": "utf-8",
                },
                {
                    "direction": "outgoing",
                    "at": "2026-11-21T07:00:03.5Z",
                    "kind": "binary",
                    "body": binary,
                    "encoding": "base64",
                },
            ],
        ),
        exchange(99, 200, '{"nobody": "cites this exchange"}'),
    ]
    records[7]["request"] |= {"encoding": "base64"}
    return {record["number"]: record for record in records}


def finding(expected: str, actual: str, number: int | None, times: int = 1) -> dict[str, Any]:
    """One way in which a clause was seen broken."""
    return {"expected": expected, **observation(actual, number, times)}


def observation(actual: str, number: int | None, times: int = 1) -> dict[str, Any]:
    """One thing a target did where nothing is promised."""
    return {
        "actual": actual,
        "exchange": number,
        "scenario": "suites/proof/test_session.py::test_echo[99.50]",
        "times": times,
    }


def clause(name: str, section: str, verdict: str, text: str, level: str = "must", **members: Any) -> dict[str, Any]:
    """One clause as results.json has it."""
    return {
        "id": name,
        "section": section,
        "level": level,
        "text": text,
        "source": {"document": "POST /widget/session", "section": "Errors"},
        "verdict": verdict,
        "reason": "",
        "exercised": 0 if verdict == "not_verified" else 12,
        "findings": [],
        "observations": [],
        "ambiguities": [],
        **members,
    }


def clauses() -> list[dict[str, Any]]:
    """Clauses of a contract, with every verdict."""
    auth, request, session, errors = (section["id"] for section in SECTIONS)
    return [
        clause(
            "proof.auth.bearer-required",
            auth,
            "passed",
            "A call without an Authorization header is refused with 401 `unauthorised`.",
            ambiguities=["The pages disagree on the code: `invalid_token` on one, `missing_token` on the other."],
        ),
        clause(
            "proof.auth.unknown-token",
            auth,
            "failed",
            "A token that nobody issued is refused with 401, `unauthorised` and `invalid_token`.",
            source={"document": "Onboarding", "section": "Tokens", "url": "https://docs.example/onboarding"},
            findings=[
                finding("401 with error unauthorised, code invalid_token", "200 with a session", 9, 3),
                finding("401 with error unauthorised, code invalid_token", "no answer in time", 24),
                finding("the same answer for every unknown token", "different answers", None),
            ],
        ),
        clause(
            "proof.auth.inactive-token",
            auth,
            "not_verified",
            "A token that was switched off is refused with 401 `unauthorised` `invalid_token`.",
            reason="the profile has no credentials.inactive_client_token: add a token that was switched off",
        ),
        clause(
            "proof.auth.rotation-grace",
            auth,
            "not_verified",
            "Right after a rotation the previous token still works.",
            reason="the profile has no credentials.previous_client_token: add the token before the last one",
        ),
        clause(
            "proof.auth.token-secrecy",
            auth,
            "passed",
            "The client token appears in no response.",
            exercised=187,
        ),
        clause(
            "proof.session.request.client-ip-forms",
            request,
            "advisory",
            "IPv4 and IPv6 addresses are both accepted as `client_ip`.",
            "should",
            findings=[finding("a session", "400 validation_error for an IPv6 address", 25)],
        ),
        clause(
            "proof.session.request.unknown-field",
            request,
            "observed",
            "The documentation does not say what becomes of a request field it does not know.",
            "open",
            observations=[observation("ignored, a session is created", 9, 4), observation("HTTP 500", 21)],
        ),
        clause(
            "proof.session.request.redirect-once",
            request,
            "not_verified",
            "A redirect URL sent holds for that session only.",
            reason="the profile has no partner.widget_config: add what onboarding configured",
        ),
        clause(
            "proof.session.config.lang",
            session,
            "not_verified",
            "`lang` is what the partner's widget configuration holds.",
            reason="the profile has no partner.widget_config: add what onboarding configured",
        ),
        clause(
            "proof.session.amount-echo",
            session,
            "failed",
            "The amount comes back as it was sent, character for character.",
            findings=[finding('amount "99.50"', 'amount "99.5"', 17, 12)],
        ),
        clause(
            "proof.session.fix-network",
            session,
            "failed",
            "`fix_network` is the array that holds the requested network and nothing else.",
            findings=[finding('["TRC20"]', '"TRC20"', 17, 40), finding('["TRC20"]', "absent", 31)],
        ),
        clause(
            "proof.session.complete",
            session,
            "waived",
            "A session has all of the 22 documented fields.",
            reason="ticket 123, agreed until the next release",
            findings=[finding("22 fields", "21 fields: theme is absent", 23)],
        ),
        clause(
            "proof.errors.no-internals",
            errors,
            "advisory",
            "No stack trace, SQL or file path stands in a message.",
            "should",
            findings=[finding("a message for partners", value, 22 if n % 2 else 21) for n, value in enumerate(HOSTILE)],
        ),
        clause(
            "proof.errors.envelope",
            errors,
            "passed",
            "Every documented error is an object of three strings.",
            observations=[
                observation("a fourth member, `details`", 3, 60),
                observation("a webhook came", 30),
            ],
        ),
    ]


def results(**changes: Any) -> dict[str, Any]:
    """A nonconformant run with every verdict; `changes` replace whole members."""
    chosen = changes.get("clauses", clauses())
    found = Counter(item["verdict"] for item in chosen)
    verdicts = ("passed", "failed", "advisory", "observed", "not_verified", "waived")
    return {
        "schema": 1,
        "rampcheck": "0.1.0",
        "contract": "proof",
        "title": "Proof On/Off Ramp partner API",
        "contract_version": "2026-11",
        "verdict": "nonconformant",
        "reason": "",
        "target": {"base_url": BASE_URL, "environment": "sandbox"},
        "variables": {"client_token": "PROOF_CLIENT_TOKEN"},
        "run": "3f9a2c1e",
        "started": "2026-11-21T07:00:00Z",
        "finished": "2026-11-21T07:00:41.250Z",
        "interrupted": False,
        "seed": 1,
        "requests": 1187,
        "workers": 1,
        "counts": {verdict: found[verdict] for verdict in verdicts},
        "sections": SECTIONS,
        "faults": ["the scenario suites/proof/test_errors.py::test_upstream raised ValueError <b>"],
        "notes": ["the waiver of proof.auth.ip-allowlist expired on 2026-10-31"],
        "clauses": chosen,
        **changes,
    }


def consequences() -> dict[str, Any]:
    """A run in which two clauses, one of them advisory, follow from a third, and a fourth from none."""
    auth, _, session, errors = (section["id"] for section in SECTIONS)
    missing = [finding("the member `code`", "members: error, message", 3, 8)]
    refused = [
        finding("401, code 'invalid_token' for no header", "401, error 'unauthorised'", 3),
        finding("401, code 'invalid_token' for a made-up token", "401, error 'unauthorised'", 9),
    ]
    told = [finding("a JSON content type", "text/html", 21)]
    root = "proof.errors.envelope"
    return results(
        clauses=[
            clause("proof.auth.bearer", auth, "failed", "It is refused.", findings=refused, follows=root),
            clause("proof.session.amount-echo", session, "failed", "It comes back.", findings=[finding("1", "2", 17)]),
            clause("proof.session.lang", session, "passed", "It is there."),
            clause(root, errors, "failed", "An error has three members.", findings=missing),
            clause("proof.errors.media-type", errors, "advisory", "It is JSON.", "should", findings=told, follows=root),
        ]
    )


def examples() -> dict[str, Any]:
    """A run in which one promise was broken with many values, and only a part was tried."""
    one = finding('`expiresAt` "2026-11-21T07:15:00Z"', 'expiresAt "2026-11-21T07:14:00Z"', 17, 396)
    others = [
        ('`expiresAt` "2026-11-21T07:15:01Z"', 'expiresAt "2026-11-21T07:14:01Z"', 23),
        ('`expiresAt` "2026-11-21T07:15:02Z"', 'expiresAt "2026-11-21T07:14:02Z"', 99),
    ]
    scenario = one["scenario"]
    one["examples"] = [
        {"expected": expected, "actual": actual, "exchange": number, "scenario": scenario}
        for expected, actual, number in [(one["expected"], one["actual"], 17), *others]
    ]
    failed = clause("proof.session.expires", "proof.session", "failed", "It ends after 15 minutes.", findings=[one])
    return results(clauses=[failed, *unselected()], selection=SELECTION)


SELECTION = {"clauses": ["proof.session.*"], "keyword": "not (slow or 'odd')"}


def unselected() -> list[dict[str, Any]]:
    """Clauses that were no part of a selection."""
    return [
        clause(
            c["id"],
            c["section"],
            "not_verified",
            c["text"],
            c["level"],
            reason="not selected for this run",
            gap="unselected",
        )
        for c in clauses()
        if c["section"] != "proof.session"
    ]


def partial() -> dict[str, Any]:
    """A run of a part, in which all that was selected held."""
    held = [clause("proof.session.lang", "proof.session", "passed", "It is there.")]
    return results(verdict="partial", clauses=[*held, *unselected()], selection=SELECTION, faults=[], notes=[])


def gaps() -> dict[str, Any]:
    """A run in which nothing failed, the profile lacks something, and there are waivers in every state."""
    kept = [
        {**item, **({"gap": "declared"} if item["verdict"] == "not_verified" else {})}
        for item in clauses()
        if item["verdict"] not in {"failed", "advisory"}
    ]
    consequence = clause(
        "proof.session.echo",
        "proof.session",
        "waived",
        "It comes back.",
        reason="in consequence of proof.session.complete, which is waived: ticket 123",
        follows="proof.session.complete",
        findings=[finding("theme light", "absent", 23)],
    )
    return results(verdict="conformant_with_gaps", clauses=[*kept, consequence], faults=[], notes=[], waivers=WAIVERS)


WAIVERS = [
    {
        "clause": "proof.session.complete",
        "reason": "ticket 123, agreed until the next release",
        "until": "2027-01-31",
        "state": "used",
    },
    {"clause": "proof.auth.bearer-required", "reason": "ticket 7", "until": None, "state": "stale"},
    {"clause": "proof.errors.envelope", "reason": "ticket 8", "until": "2026-10-31", "state": "expired"},
]

OUTAGES = [
    {
        "began": "2026-11-21T07:00:10.5Z",
        "ended": "2026-11-21T07:00:16.5Z",
        "exchange": 24,
        "before": [17],
        "detail": "the gateway answered 502",
        "probes": 6,
        "cause": "",
    },
    {
        "began": "2026-11-21T07:00:40Z",
        "ended": None,
        "exchange": 24,
        "before": [21, 22, 23],
        "detail": "connection refused",
        "probes": 30,
        "cause": "",
    },
]


def incomplete() -> dict[str, Any]:
    """A run that an outage ended: of some clauses nothing is known, one of them held elsewhere."""
    reason = "the target stopped answering"
    held = f"{reason}; it held 12 times elsewhere"
    kept = [
        {**item, "gap": "declared"} if item["verdict"] == "not_verified" else item
        for item in clauses()
        if item["verdict"] not in {"failed", "advisory", "waived"}
    ]
    lost = [
        clause(
            "proof.session.fix-network",
            "proof.session",
            "not_verified",
            "It holds the network.",
            reason=held,
            gap="unexpected",
            exercised=12,
        ),
        clause(
            "proof.session.amount-echo",
            "proof.session",
            "not_verified",
            "It comes back.",
            reason=reason,
            gap="unexpected",
        ),
    ]
    return results(verdict="incomplete", clauses=[*kept, *lost], faults=[], notes=[], outages=OUTAGES)


def conformant() -> dict[str, Any]:
    """A run in which nothing failed, nothing is missing and nothing went wrong."""
    passed = [item for item in clauses() if item["verdict"] == "passed"]
    return results(verdict="conformant", clauses=passed, faults=[], notes=[])


def inconclusive() -> dict[str, Any]:
    """A run that never reached its target."""
    reason = "the target could not be reached: connection refused"
    unjudged = [clause(c["id"], c["section"], "not_verified", c["text"], c["level"], reason=reason) for c in clauses()]
    return results(verdict="inconclusive", reason=reason, clauses=unjudged, requests=1, interrupted=True)
