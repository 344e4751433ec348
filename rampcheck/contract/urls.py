"""URLs in a profile: of a target, of a proxy, and what in them is secret."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import unquote, urlsplit

import httpx

_UNGUESSABLE = re.compile(r".{16,}|(?=.*[0-9])(?=(?:.*[A-Za-z]){3}).{8,}", re.DOTALL)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.ASCII | re.IGNORECASE)
# A run of letters and digits, of both, without any of the separators of words: a JWT's parts are such, too.
_TOKEN = re.compile(r"(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9+=]{16,}", re.ASCII)
_BASE_URL = re.compile(
    r"https?://(?:\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]+)?(?:/[\w.~!$&'()*+,;=:@%/-]*)?",
    re.ASCII | re.IGNORECASE,
)


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine: `localhost`, `127.0.0.0/8` or `::1`."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def base_url_fault(url: str, *, allow_http: bool = False) -> str:
    """Says what is wrong with the URL of a target, and how to mend it, or nothing.

    With `allow_http`, http is for private networks, too; whether a name is of one, only its user knows.
    """
    authority = re.split(r"[/?#]", url.partition("://")[2])[0]
    if "@" in authority or "\\" in authority:
        return "holds a user name or password; remove it, credentials have keys of their own"
    if "?" in url or "#" in url:
        return "holds a query or a fragment; end it before that"
    if not _SCHEME.match(url) and _BASE_URL.fullmatch(with_scheme := f"http://{url}") and is_url(with_scheme):
        scheme = "http://" if is_loopback(with_scheme) else "https://"
        return f"is not an absolute URL: its scheme is missing; write {scheme} in front of it"
    if not _BASE_URL.fullmatch(url) or not is_url(url):
        return "is not an absolute URL; write https://HOST, https://HOST:PORT or either with a path"
    is_unencrypted = url.lower().startswith("http:") and not is_loopback(url)
    return _http_fault(url, allow_http=allow_http) if is_unencrypted else ""


def _http_fault(url: str, *, allow_http: bool) -> str:
    if not allow_http:
        return (
            "would send the credentials unencrypted; write https:// (http:// is for this machine, and with "
            "`allow_http: true` for a private network)"
        )
    if _is_public(url):
        return "is a public address, to which http would send the credentials unencrypted; write https://"
    return ""


def _is_public(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_global
    except ValueError:
        return False


def is_proxy(url: str) -> bool:
    """Whether this is the URL of an HTTP proxy: with a host, perhaps a port and a login, and nothing after them."""
    parts = re.fullmatch(r"https?://([^\s/?#]+)/?", url, re.IGNORECASE)
    if parts is None or not is_url(url):
        return False
    login, at, _ = parts[1].rpartition("@")
    return not at or (login.count("@") == 0 and ":" in login)


def is_url(url: str) -> bool:
    """Whether a URL has a host that can be asked for, and a port that is one."""
    try:
        host = urlsplit(url).hostname or ""
        host.encode("idna")
        return bool(host) and urlsplit(url).port != 0 and bool(httpx.URL(url).host)
    except (ValueError, httpx.InvalidURL):
        return False


def origin_of(url: str) -> str:
    """Gives a URL's origin as browsers send it, without the port that is its scheme's own (RFC 6454 section 6.2)."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    is_own = parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme))
    return f"{parts.scheme}://{host}" + ("" if is_own else f":{parts.port}")


def unguessable(url: str) -> list[str]:
    """Gives the parts of a URL after its host that are no words: long ones, and letters mixed with digits."""
    parts = re.split(r"[/?&=#;]", unquote(url.partition("://")[2].partition("/")[2]))
    return [part for part in dict.fromkeys(parts) if _UNGUESSABLE.fullmatch(part)]


def holds_token(url: str) -> bool:
    """Whether something in the path of a URL looks like a token: that is a secret, and no part of an address."""
    parts = re.split(r"[/?&=#;._~-]", unquote(url.partition("://")[2].partition("/")[2]))
    return any(_TOKEN.fullmatch(part) for part in parts)
