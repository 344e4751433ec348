"""The reference as a process: serving in this one (`serve`), or in a child (`start`)."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal, cast

from rampcheck.contract import descriptor
from rampcheck.errors import ExitCode, ReferenceStartError, UsageError
from rampcheck.sandbox import builtin_profile, find_defects, find_variants, reference
from rampcheck.sandbox.absence import switch

if TYPE_CHECKING:
    import uvicorn

START_SECONDS = 30.0
STOP_SECONDS = 5.0
BACKLOG = 2048


def announce_in_json(base_url: str) -> None:
    """Writes the base URL to standard output as one line of JSON, for the process that started this one."""
    sys.stdout.write(json.dumps({"base_url": base_url}) + "\n")
    sys.stdout.flush()


def serve(  # noqa: PLR0913 - each is an option of the command line
    contract: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    defects: Sequence[str] = (),
    variants: Sequence[str] = (),
    environment: str | None = None,
    latency: float = 0.0,
    webhook_url: str | None = None,
    until_input_ends: bool = True,
    announce: Callable[[str], None] = announce_in_json,
) -> None:
    """Serves a contract until SIGINT, SIGTERM or, with `until_input_ends`, the end of standard input.

    As soon as it listens it calls `announce` with its base URL. `port` 0 takes a free one; every answer waits
    `latency` seconds; webhooks, if the contract has any, go to `webhook_url`. A variant may have a host of its own.
    Raises `UsageError` for an unknown contract, defect or variant, a `webhook_url` that is none, or a port that is
    taken.
    """
    import uvicorn  # noqa: PLC0415 - a process that only starts the child does without

    chosen = find_variants(contract, variants)
    host = next((variant.host for variant in chosen if variant.host), host)
    # The defects outermost, so that no variant heals them.
    broken = find_defects(contract, defects)
    classes = [defect.service for defect in broken if defect.service]
    classes += [variant.service for variant in chosen if variant.service]
    known = reference.load(contract)
    app = known.module("app").create_app(classes, environment or known.environment, latency, webhook_url)

    for wrap in (*(variant.wrap for variant in chosen), *(defect.wrap for defect in broken)):
        app = wrap(app) if wrap else app
    # What serves no WebSockets starts sooner.
    config = quiet_config(app, "websockets-sansio" if descriptor.load(contract).websockets else "none")
    for name, value in (option for variant in chosen for option in variant.serving.items()):
        setattr(config, name, value)

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # Not sooner: by now a signal stops the server, before it would break its start.
            announce(f"http://{in_url(host)}:{listening.getsockname()[1]}")

    server = Announced(config)
    with bound(host, port) as listening:
        listening.listen(BACKLOG)
        switch.attach(server, partial(bound, host, listening.getsockname()[1]))
        if until_input_ends:
            threading.Thread(target=_stop_at_end_of_input, args=[server], daemon=True).start()
        server.run(sockets=[listening])


def bound(host: str, port: int) -> socket.socket:
    """Gives a socket that is bound to an address. Raises `UsageError` where it cannot be."""
    # asyncio sets TCP_NODELAY only where the protocol is explicit; without it, each answer takes 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UsageError(
            f"cannot listen on {in_url(host)}:{port}: {error.strerror}", "Choose another port; 0 takes a free one."
        ) from error
    return listening


def in_url(host: str) -> str:
    """Gives a host as it stands in a URL."""
    # RFC 3986 §3.2.2
    return f"[{host}]" if ":" in host else host


def quiet_config(app: Any, websockets: Literal["websockets-sansio", "none"]) -> uvicorn.Config:
    """Gives how uvicorn serves an application: quietly, and believing no caller who he is."""
    import uvicorn  # noqa: PLC0415 - as in `serve`

    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws=websockets,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        # Off, or any caller could claim an address of the allowlist in X-Forwarded-For.
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    # os.read, because a thread that waits in sys.stdin keeps a lock that the interpreter needs to shut down.
    while os.read(0, 4096):
        pass
    server.should_exit = True


class RunningReference:
    """A reference in a child process, which ends with its parent, at the latest.

    The child is started at once and waited for only when `base_url` is first asked for. It is a context
    manager that stops the child on leaving.
    """

    def __init__(
        self,
        contract: str,
        command: Sequence[str],
        environment: str | None = None,
        webhook_url: str | None = None,
        variants: Sequence[str] = (),
    ) -> None:
        self.contract = contract
        self.environment = environment
        self.webhook_url = webhook_url
        self.variants = variants
        self._base_url: str | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - stop() closes it
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            # Ctrl-C is for the parent, which still needs the child to end in good order.
            start_new_session=True,
            # The child imports what this process would, wherever either was started.
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._input = cast(IO[bytes], self._process.stdin)
        self._output = cast(IO[bytes], self._process.stdout)
        self._first_line: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_first_line, daemon=True)
        self._reader.start()

    def _read_first_line(self) -> None:
        self._first_line.put(self._output.readline())

    @property
    def base_url(self) -> str:
        """Where the child listens: `http://127.0.0.1:PORT`.

        Waits for it the first time. Raises `ReferenceStartError`, with what the child wrote to standard
        error, if it ended or did not listen in time.
        """
        if self._base_url is None:
            try:
                line = self._first_line.get(timeout=START_SECONDS)
                self._base_url = str(json.loads(line)["base_url"])
            except (queue.Empty, ValueError) as error:
                raise self._start_error() from error
        return self._base_url

    def profile(self) -> dict[str, Any]:
        """The profile that describes this server; see `builtin_profile`."""
        return builtin_profile(self.contract, self.base_url, self.environment, self.webhook_url, self.variants)

    def stop(self) -> int:
        """Ends the child, by force if it must be, and gives its exit code. Safe to call twice."""
        code = self._end()
        self._output.close()
        self._errors.close()
        return code

    def _end(self) -> int:
        self._input.close()
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait(STOP_SECONDS)
        self._reader.join(STOP_SECONDS)
        return code

    def _start_error(self) -> ReferenceStartError:
        code = self._end()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip()
        self.stop()
        error = ReferenceStartError(
            f"the reference for {self.contract} did not start (exit code {code})", said or "It said nothing."
        )
        if code == ExitCode.USAGE:  # What the child was told, or read of its pack, is wrong there, too.
            error.exit_code = ExitCode.USAGE
        return error

    def __enter__(self) -> RunningReference:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start(  # noqa: PLR0913 - each is an option of the command line
    contract: str,
    defects: Sequence[str] = (),
    latency: float = 0.0,
    *,
    environment: str | None = None,
    webhook_url: str | None = None,
    variants: Sequence[str] = (),
) -> RunningReference:
    """Starts a reference in a child process on a free port of 127.0.0.1, without waiting for it.

    Without a `webhook_url` it sends no webhooks. Raises `UsageError` for an unknown contract, defect or variant.
    """
    find_defects(contract, defects)
    find_variants(contract, variants)
    command = [sys.executable, "-P", "-m", "rampcheck.sandbox", "--contract", contract]
    command += ["--latency", str(latency)]
    for name in defects:
        command += ["--defect", name]
    for name in variants:
        command += ["--variant", name]
    if environment is not None:
        command += ["--environment", environment]
    if webhook_url is not None:
        command += ["--webhook-url", webhook_url]
    return RunningReference(contract, command, environment, webhook_url, variants)
