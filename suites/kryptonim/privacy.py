"""What a widget's URL must not show of the request, and whether it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rampcheck.wire.json_text import strings
from rampcheck.wire.readings import folded, readings
from rampcheck.wire.secret_search import RUN, is_email

HIDDEN = ("email", "metadata", "successUrl", "failureUrl")
SHORTEST = 6  # characters; what is shorter may stand in any URL by chance
SHORTEST_NUMBER = 12  # digits, likewise


def hidden_texts(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Gives (field, text) of what a request holds that its widget URL must not show.

    That is what e-mail address, redirect URLs and metadata say, unless the field is unlocked (widget sessions
    page, Available Unlocked Fields). Passed over is what could not be told from something else in the URL:
    short texts, plain words, and what begins like a text that may be shown.
    """
    unlocked = request.get("unlockedFields")
    names = [name for name in HIDDEN if not isinstance(unlocked, list) or name not in unlocked]
    shown = [text for name, value in request.items() if name not in names for text in strings(value)]
    # As `disclosed` reads the URL, in which a text that may be shown may stand.
    said = "\n".join(form for text in shown for reading in readings(text) for form in folded(reading.text))
    return [
        (name, text)
        for name in names
        for text in (*strings(request.get(name)), *_long_numbers(request.get(name)))
        if len(text) >= SHORTEST
        and not (text.isascii() and text.isalpha())
        and not any(text[: len(text) // 2] in other for other in shown)
        and not any(part in said for part in folded(_telling(text)))
    ]


def disclosed(url: str, texts: list[tuple[str, str]]) -> list[str]:
    """Gives the fields of which a text stands in a URL after its scheme, in whatever encoding.

    What can be read in it: clear text, escapes in several layers, hexadecimal, base64 of either alphabet at any
    alignment. Of a long text, the first half; the beginning of an e-mail address may be a user's id.
    """
    said = "\n".join(form for reading in readings(url.partition("://")[2]) for form in folded(reading.text))
    return sorted(
        {name for name, text in texts for part in folded(_telling(text)) if len(part) >= SHORTEST and part in said}
    )


def _long_numbers(members: Any) -> Iterator[str]:
    """Gives the long whole numbers among the metadata, as they would be written."""
    for value in members.values() if isinstance(members, dict) else ():
        if isinstance(value, int) and len(str(value)) >= SHORTEST_NUMBER:
            yield str(value)


def _telling(text: str) -> str:
    return text if is_email(text) else text[: max(RUN, (len(text) + 1) // 2)]
