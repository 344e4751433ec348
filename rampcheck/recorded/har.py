"""HTTP Archives (HAR 1.2), as browsers and proxies export them, and as a run writes them itself.

The format: http://www.softwareishard.com/blog/har-12-spec/. Members that begin with `_` are their writer's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rampcheck.recorded.entries import (
    BODILESS,
    BODY,
    ELAPSED,
    HEADERS,
    MESSAGES,
    QUERY,
    STARTED,
    Entry,
    Side,
    content,
    in_age,
    moment,
    seconds,
)
from rampcheck.recorded.wholeness import note_cut, says_truncated, size
from rampcheck.wire.exchanges import Headers, Message, header

TEXT, BINARY, CLOSE = 1, 2, 8  # opcodes of RFC 6455 section 5.2
KINDS: Mapping[Any, Any] = {TEXT: "text", BINARY: "binary", CLOSE: "close"}


def entry_of(item: Any, where: str, *, is_own: bool = False) -> Entry:
    """Gives an entry of a HAR; `is_own` where a run of rampcheck wrote it. Raises `ValueError` where it is none."""
    try:
        request, response = item["request"], item["response"]
        method, url, status = request["method"], request["url"], response["status"]
    except (KeyError, TypeError):
        raise ValueError("it lacks `request.method`, `request.url` or `response.status`") from None
    if not (isinstance(method, str) and isinstance(url, str) and isinstance(status, int)):
        raise ValueError("`request.method`, `request.url` or `response.status` is of another type")  # noqa: TRY004 - as above
    own = item.get("_rampcheck") if is_own else None
    entry = Entry(
        where,
        method.upper(),
        url,
        _side(request, "cookie", "cookies"),
        status,
        _side(response, "set-cookie", "cookies"),
        own=own if isinstance(own, dict) else {},
        is_cached=bool(item.get("_fromCache")),
    )
    _request_body(request, entry)
    _response_body(response, entry)
    _sizes(request, response, entry)
    _times(item, entry)
    if "?" not in url and request.get("queryString") != []:
        entry.lacking[QUERY] = "the query of the URL is not recorded"
    if entry.own.get("protocol", "") == "websocket" or item.get("_resourceType") == "websocket" or url[:2] == "ws":
        _messages(item.get("_webSocketMessages"), entry)
    return entry


def _side(told: Mapping[str, Any], cookie: str, cookies: str) -> Side:
    """Gives the headers of a request or a response; cookies that stand beside them are put back."""
    listed = told.get("headers")
    pairs = _pairs(listed if isinstance(listed, list) else ())
    if header(pairs, cookie) is None and isinstance(told.get(cookies), list):
        pairs += tuple((cookie, f"{name}={value}") for name, value in _pairs(told[cookies]))
    return Side(pairs) if pairs else Side(lacking={HEADERS: "headers are not recorded"})


def _pairs(listed: Iterable[Any]) -> Headers:
    """Gives names and values; what HTTP/2 has in their place (RFC 9113 section 8.3) is none."""
    return tuple(
        (name, value)
        for one in listed
        if isinstance(one, dict)
        and isinstance(name := one.get("name"), str)
        and isinstance(value := one.get("value"), str)
        and not name.startswith(":")
    )


def _request_body(request: Mapping[str, Any], entry: Entry) -> None:
    posted, told = request.get("postData"), size(request.get("bodySize"))
    length = header(entry.request.headers, "content-length")
    if not isinstance(posted, dict) or "text" not in posted:
        is_usual = told == 0 or length == "0" or (entry.method in {"GET", "HEAD"} and told is None)
        is_empty = is_usual and not size(length)
        if not is_empty or posted:
            entry.request.lacking[BODY] = "the request's body is not recorded"
        return
    _keep(entry.request, posted, "request", request.get("comment"))


def _response_body(response: Mapping[str, Any], entry: Entry) -> None:
    told = response.get("content")
    told = told if isinstance(told, dict) else {}
    if "text" not in told:
        length = header(entry.response.headers, "content-length")
        is_empty = entry.status in BODILESS or entry.status == 101 or entry.method == "HEAD" or length == "0"
        if not is_empty:
            entry.response.lacking[BODY] = "the response's body is not recorded"
        return
    _keep(entry.response, told, "response", response.get("comment"))


def _keep(side: Side, told: Mapping[str, Any], whose: str, comment: Any) -> None:
    try:
        side.body = content(told["text"], told.get("encoding"))
    except ValueError as problem:
        side.lacking[BODY] = f"the {whose}'s body is {problem}"
        return
    if says_truncated(comment, told.get("comment")):
        side.lacking[BODY] = f"the {whose}'s body is cut off, as who recorded it says"


def _sizes(request: Mapping[str, Any], response: Mapping[str, Any], entry: Entry) -> None:
    """Notes what is cut off. What a run has hidden is shorter, or longer, than it was: of that no size says anything.

    `bodySize` is that of what was sent, which an encoding makes another one.
    """
    if entry.own:
        return
    of_request, of_response = (
        [told.get("bodySize")]
        if not any(header(side.headers, name) for name in ("content-encoding", "transfer-encoding"))
        else []
        for told, side in ((request, entry.request), (response, entry.response))
    )
    told = response.get("content")
    if isinstance(told, dict):
        of_response.append(told.get("size"))
    note_cut(entry, of_request, of_response)


def _times(item: Mapping[str, Any], entry: Entry) -> None:
    started, elapsed = moment(item.get("startedDateTime")), seconds(item.get("time"))
    if started is None:
        entry.lacking[STARTED] = "when it was sent is not recorded"
    if elapsed is None:
        entry.lacking[ELAPSED] = "how long it took is not recorded"
    entry.started, entry.elapsed = started or 0.0, elapsed or 0.0


def _messages(listed: Any, entry: Entry) -> None:
    """Takes the messages of a WebSocket, as browsers write them: `time` in seconds, what is binary as base64."""
    if not isinstance(listed, list):
        entry.lacking[MESSAGES] = "the messages of the WebSocket are not recorded"
        return
    try:
        entry.messages = tuple(_message(one) for one in listed)
    except (KeyError, TypeError, ValueError):
        entry.lacking[MESSAGES] = "the messages of the WebSocket cannot be read"
        return
    if entry.messages and STARTED not in entry.lacking:
        entry.elapsed = max(entry.elapsed, entry.messages[-1].at - entry.started)


def _message(told: Mapping[str, Any]) -> Message:
    kind = KINDS[told["opcode"]]
    body = content(told["data"], "base64" if kind == "binary" else None)
    at = in_age(told["time"])
    if at is None:
        raise ValueError("`time` is none")
    return Message("outgoing" if told["type"] == "send" else "incoming", at, body, kind)
