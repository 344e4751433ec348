"""An API that checks the credentials as documented, and answers in a shape of its own."""

from __future__ import annotations

from typing import Any

from rampcheck.errors import UsageError
from rampcheck.mistakes.asker import Asker
from rampcheck.mistakes.observation import Observation
from rampcheck.wire.exchanges import Exchange, Request
from rampcheck.wire.json_text import NOT_JSON

ABOUT = "session"
SHOWN = 5  # members of an answer that are named


def of_its_own(asker: Asker, request: Request, answer: Exchange) -> Observation | None:
    """Says that an accepted answer is this API's, though it has nothing of a session; None where it may be another's.

    It is this API's where it is JSON, and the same request with a credential that nobody issued is refused as the
    contract says: the address and the credentials are right then. Asks once for each credential at the most.
    """
    suite, given = asker.suite, asker.profile.credentials
    if answer.response is None or not answer.accepted or suite.is_session(answer):
        return None
    if answer.is_page or answer.response.json is NOT_JSON:
        return None
    # What signs is known best by what its signature is worth.
    needed = [known for known in suite.contract.credentials.items() if known[1].required and known[0] in given]
    for name, _ in sorted(needed, key=lambda known: not known[1].signs):
        try:
            refused = asker.ask(request, asker.with_credentials(**{name: _never_issued(given[name])}))
        except UsageError:  # An authentication says so of what is no key.
            continue
        if refused.status == suite.contract.credentials_refused[0] and not suite.is_foreign(refused):
            return Observation(
                ABOUT,
                "wrong",
                "the target accepts these credentials and refuses others, as documented, and what it answers to a good "
                f"request is no session: {answer.status}, {_described(answer.response.json)}",
                "That is the target's: show the vendor the answer.",
                "target",
                answer.number,
            )
    return None


def _described(value: Any) -> str:
    if isinstance(value, dict):
        first, more = ", ".join(sorted(value)[:SHOWN]), len(value) - SHOWN
        return f"with the members {first}{f' and {more} more' if more > 0 else ''}" if value else "an empty object"
    return f"JSON that is no object ({type(value).__name__})"


def _never_issued(value: str) -> str:
    """Gives a text of the form of a credential, and of its characters, that is another one."""
    turned = value[::-1]
    return turned if turned != value else f"{value}0"
