"""POST /widget/session, what breaks a server: hostile strings, texts, bodies and headers (errors page)."""

from functools import partial
from typing import Any

import pytest

from rampcheck.running.cases import (
    EMAIL_FORM,
    HOSTILE_STRINGS,
    ODD_TEXTS,
    OTHER_TYPES,
    SLOW_EMAILS,
    URL_FORM,
    hostile_bodies,
    long_email,
    long_url,
    parts,
    within,
)
from rampcheck.running.scenario import Accepted, Target

from .requests import with_headers

SURVIVES = "proof.session.request.no-server-error"
# With a dot segment, which a target may leave out: what comes back of such a URL is not judged.
FORMS = {"user_email": EMAIL_FORM, "redirect_url": URL_FORM.replace("{}", "./{}")}


@pytest.mark.long
@pytest.mark.verifies(SURVIVES)
@pytest.mark.parametrize("name", ["partner_user_id", "user_email", "amount", "redirect_url", "client_ip", "network"])
@parts(18, 1)
def test_no_hostile_string_breaks_the_target(accepted: Accepted, name: str, part: slice) -> None:
    """Whatever a string holds, the target answers below 500."""
    for place, value in [*enumerate(HOSTILE_STRINGS)][part]:
        # What is refused early keeps nobody from what comes later, where each has a request of its own.
        names = {"redirect_url": ("redirect_url", "address"), "network": (("network", "currency")[place % 2],)}
        fields = dict.fromkeys(names.get(name, (name,)), value)
        fields |= {other: within(form, value) for other, form in FORMS.items() if other in fields}
        accepted.but(**fields).is_survived()


@pytest.mark.verifies(SURVIVES)
def test_no_email_takes_too_long(accepted: Accepted) -> None:
    """However hard an e-mail address is to match, the target answers, and below 500."""
    for email in SLOW_EMAILS:
        accepted.but(user_email=email).is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(4, 1)
def test_no_well_formed_text_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Quotes, letters outside ASCII, and what is longer than many a column: the answer is below 500.

    A `redirect_url` that is accepted comes back as it was sent, as the invariants say.
    """
    texts = [{"user_email": email, "redirect_url": url} for email, url in ODD_TEXTS[:2]]
    longer = [{"user_email": long_email(130)}, {"redirect_url": long_url(300)}]
    for fields in [*texts, *longer][part]:
        accepted.but(**fields).is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(4, 1)
def test_no_edge_of_a_field_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """What is empty or null, and a number that fills a gigabyte when it is written out: the answer is below 500."""
    nulls = dict.fromkeys(("type", "redirect_url", "client_ip"))
    edges: list[dict[str, Any]] = [{"redirect_url": ""}, {"amount": "1e999999999"}, {"client_ip": ""}, nulls]
    for fields in edges[part]:
        accepted.but(**fields).is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(19, 1)
def test_no_hostile_body_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """Deep nesting, repeated members, many members: the target answers below 500."""
    for what, body in [*hostile_bodies(accepted.request.body).items()][part]:
        accepted.with_body(body, what).is_survived()


@pytest.mark.verifies(SURVIVES)
def test_no_hostile_header_breaks_the_target(accepted: Accepted, target: Target) -> None:
    """Letters beyond ASCII, an Origin that is no URL, text that is not compressed: the target answers below 500."""
    token = f"rampcheck-{target.unique()}-no-such-tok\u00e9n"
    target.hide("made_up_token", token)
    accepted.with_header("Authorization", f"Bearer {token}", "a token with letters beyond ASCII").is_survived()
    accepted.with_header("Origin", "https://[rampcheck:x").is_survived()
    accepted.with_header("Content-Encoding", "gzip", "a body that is not compressed as it says").is_survived()


@pytest.mark.verifies(SURVIVES)
@parts(3, 1)
def test_no_media_type_breaks_the_target(accepted: Accepted, part: slice) -> None:
    """In an unknown charset, of a media type that is none, or of none at all: the answer is below 500."""
    for what, headers in [*OTHER_TYPES.items()][part]:
        accepted.changed(partial(with_headers, headers=headers), what).is_survived()
