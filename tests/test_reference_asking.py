"""The embedded Proof reference tells who may know, and nobody else, how a transaction and a user are doing."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from rampcheck.sandbox import server
from tests.following import DEADLINE, OF_SECOND, Target, outcome
from tests.test_reference_proof import SESSION

NOT_FOUND = (404, "not_found", "not_found")
UNAUTHORISED = (401, "unauthorised", "invalid_token")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """A conforming Proof reference."""
    with server.start("proof") as running:
        target = Target(running)
        with target.client:
            yield target


# Who may ask.

ASKED = {"the transaction": "/widget/transactions/{id}", "the user": "/widget/users/{user}/kyc-status"}


@pytest.mark.parametrize("path", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize(
    ("token", "expected"),
    {None: UNAUTHORISED, "inactive_client_token": UNAUTHORISED, "second_client_token": NOT_FOUND}.items(),
)
def test_a_question_is_refused(target: Target, path: str, token: str | None, expected: tuple[int, str, str]) -> None:
    """Without a token, with a dead one, or another partner's, nothing is told."""
    path = path.format(id=target.session(partner_user_id="private")["merchant_transaction_id"], user="private")
    assert target.get(path).status_code == 200
    response = target.get(path, token)
    assert outcome(response.status_code, response.content) == expected
    assert response.headers["X-Request-Id"]


UPGRADES: dict[str, tuple[str, str | None, tuple[int, str, str]]] = {
    "no token": ("?tx_id={id}", None, UNAUTHORISED),
    "an unknown token": ("?tx_id={id}", "nobody", UNAUTHORISED),
    "another partner": ("?tx_id={id}", "second_client_token", NOT_FOUND),
    "no tx_id": ("", "client_token", (400, "invalid_request", "missing_param")),
    "an empty tx_id": ("?tx_id=", "client_token", (400, "invalid_request", "missing_param")),
    "an unknown tx_id": ("?tx_id={id}0", "client_token", NOT_FOUND),
    "a tx_id that is not UTF-8": ("?tx_id=%ff", "client_token", NOT_FOUND),
}


@pytest.mark.parametrize(("query", "token", "expected"), UPGRADES.values(), ids=UPGRADES)
def test_an_upgrade_is_refused(target: Target, query: str, token: str | None, expected: tuple[int, str, str]) -> None:
    """An upgrade that cannot be is answered over HTTP, with the envelope."""
    query = query.format(id=target.session()["merchant_transaction_id"])
    with pytest.raises(InvalidStatus) as refused, target.subscribe(query, token):
        pass
    response = refused.value.response
    assert outcome(response.status_code, response.body) == expected
    assert response.headers["X-Request-Id"]
    assert response.headers["Content-Type"] == "application/json"


def test_an_upgrade_elsewhere_is_refused(target: Target) -> None:
    """Other paths serve no WebSocket."""
    with pytest.raises(InvalidStatus) as refused, target.subscribe("", path="/widget/session"):
        pass
    assert outcome(refused.value.response.status_code, refused.value.response.body) == NOT_FOUND


def test_ws_without_upgrade_is_refused(target: Target) -> None:
    """A plain GET of the WebSocket's path is told to upgrade, a caller without a token is not."""
    response = target.get("/ws?tx_id=1")
    assert (response.status_code, response.headers["Upgrade"]) == (426, "websocket")
    assert target.get("/ws?tx_id=1", None).status_code == 401


def test_another_address_is_refused_everywhere(target: Target) -> None:
    """Off the allowlist there are no questions and no WebSockets either."""
    session = target.session()
    away = (target.profile["egress"]["outside_source_address"], 0)
    parts = urlsplit(target.base_url)
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    transaction_id = session["merchant_transaction_id"]
    for path, headers in (
        (f"/widget/transactions/{transaction_id}", {}),
        (f"/widget/users/{SESSION['partner_user_id']}/kyc-status", {}),
        (f"/ws?tx_id={transaction_id}", upgrade),
    ):
        connection = http.client.HTTPConnection(parts.netloc, timeout=DEADLINE, source_address=away)
        connection.request("GET", path, headers={**target.headers(), **headers})
        response = connection.getresponse()
        assert outcome(response.status, response.read())[:2] == (403, "forbidden"), path
        connection.close()


def test_origin_is_checked_on_sessions_only(target: Target) -> None:
    """A question with an origin nobody registered is answered."""
    transaction_id = target.session()["merchant_transaction_id"]
    headers = {**target.headers(), "Origin": "https://evil.example"}
    assert target.client.get(f"/widget/transactions/{transaction_id}", headers=headers).status_code == 200
    assert target.client.post("/widget/session", json=SESSION, headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/widget/transactions/1", "/widget/users/1/kyc-status"])
def test_a_question_is_a_get(target: Target, method: str, path: str) -> None:
    """Any other method is refused, with the one that is not."""
    response = target.client.request(method, path, headers=target.headers())
    assert (response.status_code, response.headers["Allow"]) == (405, "GET")


# Ids.

ODD_USERS = ["a/b", "100%", "ü ß", "..x", "+", "a?b#c", "%2F", "..", "a\nb", "\n", "💶", "kyc-status", "a/kyc-status"]


@pytest.mark.parametrize("user", ODD_USERS)
def test_a_user_is_found_whatever_the_id(target: Target, user: str) -> None:
    """Any character may be percent-encoded in the path, and comes back as it was."""
    path = f"/widget/users/{quote(user, safe='').replace('.', '%2E')}/kyc-status"
    assert target.get(path, "second_client_token").status_code == 404
    target.session("second_client_token", partner_user_id=user, **OF_SECOND)
    assert target.get(path, "second_client_token").json() == {"partner_user_id": user, "status": "not_started"}


def test_a_plus_is_no_space(target: Target) -> None:
    """In a path, + stands for itself, encoded or not."""
    target.session(partner_user_id="one+two")
    assert target.get("/widget/users/one+two/kyc-status").json()["partner_user_id"] == "one+two"
    assert target.get("/widget/users/one%20two/kyc-status").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/widget/users/%/kyc-status",
        "/widget/users/%zz/kyc-status",
        "/widget/users/%ff/kyc-status",
        "/widget/users/a/b/kyc-status",
        "/widget/users//kyc-status",
        "/widget/users/user-1/kyc-status/",
        "/widget/users/user-1/kyc-status%0A",
        "/widget/transactions/",
        "/widget/transactions/%C3",
        "/widget/transactions/a%0Ab",
        "/widget/session%0A",
    ],
)
def test_a_path_that_names_nothing_is_unknown(target: Target, path: str) -> None:
    """Wrong encodings and too many segments are refused in the envelope, as any unknown path."""
    for user in ("user-1", "%", "%zz", "a/b"):
        target.session(partner_user_id=user)
    connection = http.client.HTTPConnection(urlsplit(target.base_url).netloc, timeout=DEADLINE)
    connection.request("GET", path, headers=target.headers())
    response = connection.getresponse()
    assert outcome(response.status, response.read()) == NOT_FOUND
    connection.close()
