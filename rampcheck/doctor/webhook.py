"""The way back: whether what is sent to `webhook.public_url` reaches this machine's receiver."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from rampcheck.contract.profile import Webhook
from rampcheck.doctor.asking import Asking
from rampcheck.mistakes import connection
from rampcheck.mistakes.observation import Observation
from rampcheck.wire.channel import News
from rampcheck.wire.exchanges import Request
from rampcheck.wire.receiver import Receiver

ABOUT = "webhook"
PATIENCE, LOOK = 2.0, 0.05  # seconds: a proxy may answer before it hands on


def looked_at(asking: Asking, webhook: Webhook) -> Observation:
    """Posts to the public URL and looks whether it comes in at `listen`. Raises `UsageError` where that is taken."""
    url = urlsplit(webhook.public_url)
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    mark = secrets.token_hex(8)
    request = Request("POST", path, (("Content-Type", "application/json"),), json.dumps({"rampcheck": mark}).encode())
    with _receiving(webhook) as receiver:
        answer = asking.ask(request, asking.elsewhere(f"{url.scheme}://{url.netloc}"))
        came = _came(receiver, mark.encode(), wait=PATIENCE if answer.accepted else 0.0)
    if came and answer.accepted:
        found = f"what is sent to `public_url` comes in at {webhook.listen}"
        return Observation(ABOUT, "ok", found, exchange=answer.number)
    if came:
        found = f"a webhook comes in at {webhook.listen}, but its sender is answered otherwise: {answer.summary()}"
        cure = "Let the tunnel or proxy hand the receiver's answer back, or the target sends each webhook again."
        return Observation(ABOUT, "wrong", found, cure, "profile", answer.number)
    if answer.failure is not None:
        told = connection.explained(answer, answer.failure, url.netloc, ABOUT, key="webhook.public_url")
        return replace(told, cure=told.cure.replace("the target run", "the tunnel or proxy behind it run"))
    if receiver.strays:
        found = f"`public_url` leads to {webhook.listen}, but to another path than its own: {answer.summary()}"
        cure = "Let the tunnel or proxy keep the path, or write the path in `public_url` that comes in."
    else:
        found = f"`public_url` does not lead to {webhook.listen}: something else answers, {answer.summary()}"
        cure = (
            f"Let the tunnel or reverse proxy behind `public_url` lead to {webhook.listen}, without a login or a page "
            "of its own in front."
        )
    return Observation(ABOUT, "wrong", found, cure, "profile", answer.number)


@contextmanager
def _receiving(webhook: Webhook) -> Iterator[Receiver]:
    receiver = Receiver(webhook, News())
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()


def _came(receiver: Receiver, mark: bytes, wait: float) -> bool:
    deadline = time.monotonic() + wait
    while True:
        if any(mark in delivery.body for delivery in receiver.drain()):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK)
