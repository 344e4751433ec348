"""More defects of what comes from the configuration: another partner's, changed a little, or for some requests only."""

# ruff: noqa: ARG005 - every change takes the session and the request.

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .partners import FIRST
from .request import SessionRequest
from .session_changes import Change, changed

FIELDS = ("currencies", "networks", "fiat_currency", "fiat_currencies", "lang", "theme")


def _of_first_partner(field: str) -> Change:
    """The change that sets a field as the first partner has configured it."""
    return lambda session, request: {field: FIRST.widget_config[field]}


def _one_short(field: str) -> Change:
    """The change that takes the last item, or letter, from a field."""
    return lambda session, request: {field: session[field][:-1]}


def _swapped_for_sell(field: str) -> Change:
    """The change that turns a field's items, or letter case, around in a sell."""
    return lambda session, request: {field: _swapped(session[field])} if session["type"] == "sell" else {}


def _swapped(value: Any) -> Any:
    return [item.swapcase() for item in value] if isinstance(value, list) else value.swapcase()


for _field in FIELDS:
    _named, _clauses = _field.replace("_", "-"), [f"config.{_field}"]
    changed(
        f"{_named}-of-first-partner", _clauses, f"{_field} is the first partner's for all.", _of_first_partner(_field)
    )
    changed(f"{_named}-one-short", _clauses, f"The last item or letter of {_field} is missing.", _one_short(_field))
    changed(
        f"{_named}-swapped-for-sell",
        _clauses,
        f"In a sell {_field} is in the other letter case.",
        _swapped_for_sell(_field),
        may_break=["config-stable"],
    )


def _default_redirect(name: str, summary: str, change: Callable[[str], str]) -> None:
    """Registers a defect: the redirect URL out of the configuration comes back changed."""

    def changes(session: Mapping[str, Any], request: SessionRequest) -> Mapping[str, Any]:
        is_default = request.redirect_url is None and "redirect_url" in session
        return {"redirect_url": change(session["redirect_url"])} if is_default else {}

    changed(name, ["config.redirect_url"], summary, changes)


_default_redirect(
    "default-redirect-url-with-slash",
    "A redirect_url from the configuration ends with a slash.",
    lambda url: f"{url}/",
)
_default_redirect(
    "default-redirect-url-over-http",
    "A redirect_url from the configuration begins with http.",
    lambda url: url.replace("https:", "http:"),
)
changed(
    "default-redirect-url-null-with-type",
    ["config.redirect_url"],
    "A request that names its type gets a redirect_url of null in place of the configured one.",
    lambda session, request: {} if request.redirect_url or request.type is None else {"redirect_url": None},
    may_break=["complete"],
)
