"""What a firewall in front of an API answers in its place: a page, to whatever looks like an attack."""

from __future__ import annotations

from rampcheck.sandbox.wire import Answer

PAGE = b"<!doctype html>\n<html><head><title>Access denied</title></head><body>Request blocked.</body></html>\n"
# What it looks for in a body, by a word for it.
ATTACKS = {"sql": b"DROP TABLE", "script": b"<script", "path": b"../../", "jndi": b"${jndi:"}


def page(status: int) -> Answer:
    """The page, with this status."""
    return Answer(status, PAGE, {"content-type": "text/html; charset=utf-8"})
