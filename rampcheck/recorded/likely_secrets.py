"""What is likely to be a secret of somebody in recorded traffic, by its shape or its name, and is hidden."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote_plus

from rampcheck.contract.profile_rules import SECRET_NAME
from rampcheck.recorded.packing import unpacked
from rampcheck.wire.exchanges import Exchange, Headers, Response, Sent, header
from rampcheck.wire.redaction import Redactor, has_mark, spelled

# RFC 7519: the first part is an object of JSON, in base64url.
JWT = re.compile(r"(?<![\w-])(eyJ[\w-]{5,}\.[\w-]+\.[\w-]*)")
BEARER = re.compile(r"(?<=\bbearer )\s*([^\s,;\"'\[]+)", re.IGNORECASE)
# Names that speak of a secret besides those that a profile's headers may not have: `sig`, `X-Signature`, `hmac`.
SIGNATURE = re.compile(r"signature|^sign$|(?<![a-z])(sig|hmac|mac|jwt|otp|pwd|pin)(?![a-z])", re.IGNORECASE)
QUERY = re.compile(r"[?#]")
# In a query or a form, from its begin or a separator on; in the URLs of any other text, up to what ends a URL there.
PARAMETER = re.compile(r"(?:^|(?<=[?&;#]))([^=&;#?\s]*)=([^&#\s]+)")
PARAMETER_INSIDE = re.compile(r"""(?<=[?&;#])([^=&;#?\s"'<>\\]{1,64})=([^&#\s"'<>\\]+)""")
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
    """Puts marks of a redactor in place of what is likely to be a secret; the long ones are hidden from then on.

    `names` are those of headers and members that carry one by the contract: a parameter of such a name does, too.
    """

    def __init__(self, redactor: Redactor, names: Iterable[str] = ()) -> None:
        self._redactor = redactor
        self._named = frozenset(map(spelled, names))

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

    def _is_secret(self, name: str) -> bool:
        """Whether the name of a header, a parameter or a member speaks of a secret."""
        return bool(SECRET_NAME.search(name) or SIGNATURE.search(name)) or spelled(name) in self._named

    def _parameters(self, text: str, form: re.Pattern[str] = PARAMETER) -> str:
        return form.sub(self._parameter, text)

    def _parameter(self, found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if self._is_secret(unquote_plus(name)):
            return f"{name}={self._mark(unquote_plus(name), value)}"
        return f"{name}={self._parameters(value, PARAMETER_INSIDE)}" if ";" in value else found[0]

    def _url(self, url: str) -> str:
        begin = QUERY.search(url)
        at = begin.end() if begin else len(url)
        return self._text(url[:at] + self._parameters(url[at:]))

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name, value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name.lower() in KNOWN_HEADERS:
            return value
        if self._is_secret(name) and value.strip():
            return self._mark(name.lower(), value)
        value = self._parameters(value, PARAMETER_INSIDE)
        return self._text(BEARER.sub(lambda found: self._mark("bearer", found[1]), value))

    def _body(self, body: bytes, message: Sent | Response | None = None) -> bytes:
        text = body.decode("utf-8", "surrogateescape")
        if message and "form-urlencoded" in (header(message.headers, "content-type") or ""):
            text = self._parameters(text)
        text = self._text(self._parameters(text, PARAMETER_INSIDE))
        shown = text.encode("utf-8", "surrogateescape")
        names = {found[1] for found in MEMBER.finditer(text) if self._is_secret(found[1])}
        if not names:
            return shown
        said, encoding = self._redactor.body(shown, names)
        return base64.b64decode(said) if encoding == "base64" else said.encode("utf-8")
