"""The sandbox of a certification: the contract's reference in this process, which misbehaves as the step says."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Mapping

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rampcheck.certification.delivery import Delivery
from rampcheck.certification.recording import Recorder
from rampcheck.certification.script import Answers, Script, Step, unique
from rampcheck.contract import descriptor, packs
from rampcheck.contract.profile import Profile
from rampcheck.errors import UsageError
from rampcheck.judging.conduct import WIDGET
from rampcheck.sandbox import reference
from rampcheck.sandbox.asgi import Reply, headers_of, send_reply, whole_body
from rampcheck.sandbox.server import bound, in_url, quiet_config

START_SECONDS = 30.0
DROPPED = 1012  # RFC 6455, section 7.4.1, and IANA's registry: the service restarts
MODULE = "certification"  # of the reference


def demand(contract: str) -> None:
    """Raises `UsageError` where the reference of a contract cannot be the sandbox of a certification."""
    if not (packs.of(contract).reference(contract) / f"{MODULE}.py").is_file():
        raise UsageError(
            f"the contract {contract} has no sandbox that an integration could be certified by",
            f"references/{contract}/{MODULE}.py would be it.",
        )


class Sandbox:
    """Serves on `host` and `port` (0: a free one), in a thread of its own, from `start` to `stop`.

    What comes is kept by `recorder`; webhooks go to `webhook_url`; every time is multiplied by `time_scale`.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a sandbox is made of
        self,
        script: Script,
        recorder: Recorder,
        credentials: Mapping[str, str],
        webhook_url: str,
        time_scale: float = 1.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._script = script
        self._recorder = recorder
        self._credentials = credentials
        self._scale = time_scale
        self._known = reference.load(script.contract)
        self._module = self._known.module(MODULE)
        self._relay = f"/rampcheck/webhooks/{secrets.token_hex(16)}"
        self._delivery = Delivery(script, recorder, webhook_url, time_scale)
        self._socket = bound(host, port)
        # What listens everywhere is found here, too.
        named = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is only compared
        recorder.base_url = self.base_url = f"http://{in_url(named)}:{self._socket.getsockname()[1]}"
        self._current: ASGIApp | None = None
        websockets = bool(descriptor.load(script.contract).websockets)
        config = quiet_config(self, "websockets-sansio" if websockets else "none")
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Serves from now on."""
        self._socket.listen(128)
        self._thread.start()
        self._ready.wait(START_SECONDS)

    def _run(self) -> None:
        async def served() -> None:
            self._loop = asyncio.get_running_loop()
            self._ready.set()
            await self._server.serve(sockets=[self._socket])
            await self._delivery.close()

        asyncio.run(served())

    def settle(self) -> None:
        """Waits, not for long, until webhooks that are on their way are answered."""
        assert self._loop is not None  # noqa: S101 - it was started
        asyncio.run_coroutine_threadsafe(self._delivery.settle(), self._loop).result(START_SECONDS)

    def stop(self) -> None:
        """Ends it, and what is open."""
        self._server.should_exit = True
        self._thread.join(START_SECONDS)
        self._socket.close()

    @property
    def unheard(self) -> int:
        """How many webhooks nobody listened for."""
        return self._delivery.unheard

    def purchase(self, profile: Profile) -> dict[str, str]:
        """Gives what a test purchase is of."""
        told: dict[str, str] = self._module.purchase(profile.partner.get)
        return told

    def begin(self, step: Step, profile: Profile) -> None:
        """Begins a step: a new server, which knows nothing of the one before.

        Raises `UsageError` for a behaviour or a setting that the sandbox does not have.
        """
        app = self._application(step, profile)
        current = self._recorder.wrap(_Misbehaviour(self._script, step, app, self._scale))
        done = threading.Event()

        def take_over() -> None:
            self._recorder.step = step.name
            self._delivery.begin(step.webhooks)
            self._current = current
            done.set()

        assert self._loop is not None  # noqa: S101 - it was started
        self._loop.call_soon_threadsafe(take_over)
        done.wait(START_SECONDS)

    def _application(self, step: Step, profile: Profile) -> ASGIApp:
        behaviours: Mapping[str, type] = self._module.BEHAVIOURS
        settings: Mapping[str, float] = self._module.SETTINGS
        for names, known, what in ((step.behaviours, behaviours, "behaviour"), (step.settings, settings, "setting")):
            for name in names:
                if name not in known:
                    raise UsageError(
                        f"step {step.name}: the sandbox of {self._script.contract} has no {what} {name!r}",
                        f"It has: {', '.join(known) or 'none'}.",
                    )
        timed = {name: value * self._scale for name, value in {**settings, **step.settings}.items()}
        classes = [
            type("Timed", (), timed),
            *(behaviours[name] for name in step.behaviours),
            self._module.service(self._credentials, profile.partner.get),
        ]
        environment = profile.environment or self._known.environment
        app: ASGIApp = self._known.module("app").create_app(classes, environment, 0.0, self.base_url + self._relay)
        return app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request: a webhook of the server's own, or the integration's."""
        if scope["type"] == "http" and scope["path"] == self._relay:
            self._delivery.take(Reply(200, headers_of(scope), await whole_body(receive)))
            await send_reply(send, Reply(204, (), b""))
        elif self._current is None:
            await send_reply(send, Reply(503, (), b""))
        else:
            await self._current(scope, receive, send)


class _Misbehaviour:
    """Goes around the server as one step says."""

    def __init__(self, script: Script, step: Step, app: ASGIApp, time_scale: float) -> None:
        self._script = script
        self._step = step
        self._app = app
        self._scale = time_scale
        self._answered = 0
        self._opened: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request (ASGI 3)."""
        if scope["type"] == "websocket":
            await self._app(scope, receive, self._dropping(send) if self._step.messages else send)
        elif scope["path"] == WIDGET:
            await self._widget(scope, await whole_body(receive), send)
        elif scope["path"] == self._script.sessions and scope["method"] == "POST":
            await self._session(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _session(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._step.slow:
            await asyncio.sleep(self._step.slow * self._scale)
        answers = self._step.answers
        if answers is None or (answers.times is not None and self._answered >= answers.times):
            await self._app(scope, receive, send)
            return
        self._answered += 1
        await whole_body(receive)
        await send_reply(send, _reply(answers))

    async def _widget(self, scope: Scope, body: bytes, send: Send) -> None:
        """204, or 410 for the first sessions, of which the step says that they have expired."""
        opened = body or scope["query_string"]
        if opened not in self._opened:
            self._opened.append(opened)
        has_expired = self._opened.index(opened) < self._step.expired
        await send_reply(send, Reply(410 if has_expired else 204, (), b""))

    def _dropping(self, send: Send) -> Send:
        """Closes a WebSocket after so many messages; what is sent later is lost."""
        left = self._step.messages

        async def dropped(message: Message) -> None:
            nonlocal left
            if left is None:
                return
            await send(message)
            if message["type"] == "websocket.send":
                left -= 1
                if not left:
                    left = None
                    await send({"type": "websocket.close", "code": DROPPED})

        return dropped


def _reply(answers: Answers) -> Reply:
    headers = [(name, unique(value)) for name, value in answers.headers.items()]
    body = b"" if answers.body is None else json.dumps(answers.body).encode()
    return Reply(answers.status, (("content-type", "application/json"), *headers), body)
