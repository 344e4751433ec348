"""The webhooks of the sandbox on their way to the partner: as they are, or late, twice, in another order."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import httpx

from rampcheck.certification.recording import Recorder
from rampcheck.certification.script import Script, Webhooks
from rampcheck.sandbox.asgi import Reply
from rampcheck.wire.exchanges import Exchange, Failure, Response, Sent

TIMEOUT_SECONDS = 10.0
ANEW = httpx.Limits(max_keepalive_connections=0)  # the process of the step before may have left its connection
SETTLED_SECONDS, LOOK_SECONDS = 2.0, 0.01
LONGEST = 1 << 16  # bytes of an answer that are kept
# What the client adds itself, or what concerns one connection only.
OWN_HEADERS = frozenset({"host", "content-length", "connection", "accept-encoding", "accept", "transfer-encoding"})


class Delivery:
    """Delivers webhooks to `url`, one after the other of each transaction, as the step's `manner` says.

    `unheard` counts those for which nobody listened: of them nothing is judged.
    """

    def __init__(self, script: Script, recorder: Recorder, url: str, time_scale: float) -> None:
        self._script = script
        self._recorder = recorder
        self._url = url
        self._scale = time_scale
        self._client: httpx.AsyncClient | None = None
        self._last: dict[str, asyncio.Task[None]] = {}
        self._held: dict[str, Reply] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._posting = 0
        self.manner = Webhooks()
        self.unheard = 0

    def begin(self, manner: Webhooks) -> None:
        """Begins a step: what is still under way of the one before is not delivered any more."""
        for task in self._tasks:
            task.cancel()
        self._held.clear()
        self._last.clear()
        self.manner = manner

    def take(self, webhook: Reply) -> None:
        """Takes a webhook of the sandbox, to be delivered in the background."""
        key = self._key(webhook)
        if self.manner.swapped and key not in self._held and key not in self._last:
            self._held[key] = webhook
            return
        held = self._held.pop(key, None)
        before, step = self._last.get(key), self._recorder.step
        task = asyncio.get_running_loop().create_task(self._deliver(before, step, [webhook, *([held] if held else [])]))
        self._last[key] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _key(self, webhook: Reply) -> str:
        told = Response(200, webhook.headers, webhook.body).json
        return str(told.get(self._script.id)) if isinstance(told, dict) else ""

    async def _deliver(self, before: asyncio.Task[None] | None, step: str, webhooks: list[Reply]) -> None:
        if before is not None:
            await asyncio.wait([before])
        await asyncio.sleep(self.manner.delay * self._scale)
        for webhook in webhooks:
            for _ in range(self.manner.times):
                await self._post(step, webhook)

    async def settle(self) -> None:
        """Waits, not for long, until what has been posted is answered."""
        deadline = self._recorder.now() + SETTLED_SECONDS
        while self._posting and self._recorder.now() < deadline:
            await asyncio.sleep(LOOK_SECONDS)

    async def _post(self, step: str, webhook: Reply) -> None:
        self._posting += 1
        try:
            await self._posted(step, webhook)
        finally:
            self._posting -= 1

    async def _posted(self, step: str, webhook: Reply) -> None:
        self._client = self._client or httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_SECONDS, limits=ANEW)
        headers = tuple((name, value) for name, value in webhook.headers if name.lower() not in OWN_HEADERS)
        started = self._recorder.now()
        response, failure = None, None
        try:
            answer = await self._client.post(self._url, headers=headers, content=webhook.body)
            body = answer.content[:LONGEST]
            response = Response(answer.status_code, tuple(answer.headers.multi_items()), body)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self.unheard += 1
            return
        except httpx.TimeoutException:
            failure = Failure("timeout", f"nothing came within {TIMEOUT_SECONDS:g} s")
        except httpx.HTTPError as error:
            failure = Failure("reset", f"{type(error).__name__}")
        number = self._recorder.number(step)
        if number is not None:
            self._recorder.keep(
                Exchange(
                    number=number,
                    scenario=step,
                    request=Sent("POST", self._url, headers, webhook.body),
                    response=response,
                    failure=failure,
                    started=started,
                    elapsed=self._recorder.now() - started,
                    path=urlsplit(self._url).path or "/",
                    protocol="webhook",
                    direction="outgoing",
                )
            )

    async def close(self) -> None:
        """Ends what is under way."""
        self.begin(Webhooks())
        if self._client is not None:
            await self._client.aclose()
