"""What is likely to be a secret of somebody in recorded traffic, by its shape or its name, and is hidden."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

from rampcheck.contract.profile_rules import SECRET_NAME
from rampcheck.recorded.packing import unpacked
from rampcheck.wire.exchanges import Exchange, Headers, Response, Sent, header
from rampcheck.wire.redaction import Redactor, has_mark

# RFC 7519: the first part is an object of JSON, in base64url.
JWT = re.compile(r"(?<![\w-])(eyJ[\w-]{5,}\.[\w-]+\.[\w-]*)")
BEARER = re.compile(r"(?<=\bbearer )\s*([^\s,;\"'\[]+)", re.IGNORECASE)
PARAMETER = re.compile(r"(?:^|(?<=[?&#]))([^=&#?\s]*)=([^&#\s]+)")
MEMBER = re.compile(r'"((?:[^"\\]|\\.)*+)"\s*:', re.DOTALL)
# Their names speak of secrets, their values hold none; or the redactor knows them better.
KNOWN_HEADERS = frozenset(
    {
        "access-control-allow-credentials",
        "authentication-info",
        "authorization",
        "cookie",
        "proxy-authenticate",
        "proxy-authorization",
        "set-cookie",
        "www-authenticate",
    }
)


class LikelySecrets:
    """Puts marks of a redactor in place of what is likely to be a secret; the long ones are hidden from then on."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def hidden(self, exchange: Exchange) -> Exchange:
        """Gives an exchange without what is likely to be a secret.

        That are JWTs, what follows `Bearer`, and values of headers, parameters and members whose names speak of one.
        """
        whole = unpacked(exchange)
        sent, answer = whole.request, whole.response
        return replace(
            whole,
            path=self._url(whole.path),
            request=replace(
                sent, url=self._url(sent.url), headers=self._headers(sent.headers), body=self._body(sent.body, sent)
            ),
            response=answer
            and replace(answer, headers=self._headers(answer.headers), body=self._body(answer.body, answer)),
            messages=tuple(replace(one, body=self._body(one.body)) for one in whole.messages),
        )

    def _mark(self, name: str, value: str) -> str:
        if has_mark(value):
            return value
        self._redactor.learn(name, value)
        return self._redactor.mark(name, value)

    def _text(self, text: str) -> str:
        return JWT.sub(lambda found: self._mark("jwt", found[1]), text)

    def _parameters(self, text: str) -> str:
        return PARAMETER.sub(
            lambda found: f"{found[1]}={self._mark(found[1], found[2])}" if SECRET_NAME.search(found[1]) else found[0],
            text,
        )

    def _url(self, url: str) -> str:
        place, mark, rest = url.partition("?")
        return self._text(place + mark + self._parameters(rest))

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name.lower() in KNOWN_HEADERS:
            return value
        if SECRET_NAME.search(name) and value.strip():
            return self._mark(name.lower(), value)
        return self._text(BEARER.sub(lambda found: self._mark("bearer", found[1]), value))

    def _body(self, body: bytes, message: Sent | Response | None = None) -> bytes:
        text = body.decode("utf-8", "surrogateescape")
        if message and "form-urlencoded" in (header(message.headers, "content-type") or ""):
            text = self._parameters(text)
        text = self._text(text)
        shown = text.encode("utf-8", "surrogateescape")
        names = {found[1] for found in MEMBER.finditer(text) if SECRET_NAME.search(found[1])}
        if not names:
            return shown
        said, encoding = self._redactor.body(shown, names)
        return base64.b64decode(said) if encoding == "base64" else said.encode("utf-8")
