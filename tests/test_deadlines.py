"""Nothing in the engine waits without a deadline: what can block for good is called with how long it may."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[1] / "rampcheck"
# What waits for somebody else, where it is called without an argument: threads, processes, events, queues, locks,
# sockets, futures.
WAITING = frozenset({"accept", "acquire", "communicate", "get", "join", "recv", "result", "wait"})
# Of file, function and call, why it may: something else ends it in time.
ENDED_BY_OTHERS = {
    ("wire/channel.py", "_read", "recv"): "a thread of its own, which ends with the socket that `close` shuts down",
    ("wire/client.py", "send_together", "wait"): "`Presence.wait` has a deadline of its own",
    ("wire/client.py", "_allowed_attempt", "wait"): "`Presence.wait` has a deadline of its own",
    ("wire/presence.py", "_locked", "FileLock"): "its `acquire` has a deadline",
    ("running/plugin.py", "_print_results", "get"): "rich's `Capture.get` waits for nothing",
    ("sandbox/websocket.py", "forward", "get"): "a task of the reference, cancelled with its connection",
    ("sandbox/websocket.py", "_serve", "result"): "of a task that has ended",
    ("sandbox/ws_protocols.py", "send", "wait"): "a task of the reference, cancelled with its connection",
    ("recorded/processes.py", "_look", "recv"): "the other end is closed when its process ends, however it does",
    ("recorded/processes.py", "_told", "recv"): "`poll` has said that there is something to read",
    ("running/beside.py", "end", "join"): "a run, whose end its own deadlines see to, and Ctrl-C stops both",
    ("selftest/attempt.py", "proceed", "recv"): "called when the other end has spoken or ended",
}


def endless(source: str) -> list[tuple[str, str, int]]:
    """Gives the calls that wait for as long as it takes: the function they stand in, what they call, the line."""
    found: list[tuple[str, str, int]] = []

    def look(node: ast.AST, function: str) -> None:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
            is_bare = isinstance(child, ast.Call) and not child.args and not child.keywords
            if is_bare and isinstance(child.func, ast.Attribute) and child.func.attr in WAITING:
                found.append((inside, child.func.attr, child.lineno))
            # A lock of filelock's waits for good, also in a `with`, unless it was told for how long.
            is_lock = isinstance(child, ast.Call) and isinstance(child.func, ast.Name) and child.func.id == "FileLock"
            if is_lock and not any(keyword.arg == "timeout" for keyword in child.keywords):
                found.append((inside, "FileLock", child.lineno))
            look(child, inside)

    look(ast.parse(source), "")
    return found


def test_every_wait_has_a_deadline() -> None:
    """What waits says for how long, or is named with what ends it."""
    seen: set[tuple[str, str, str]] = set()
    unbounded: list[str] = []
    for path in sorted(ENGINE.rglob("*.py")):
        name = path.relative_to(ENGINE).as_posix()
        for function, call, line in endless(path.read_text(encoding="utf-8")):
            seen.add((name, function, call))
            if (name, function, call) not in ENDED_BY_OTHERS:
                unbounded.append(f"{name}:{line}: .{call}() in {function}")
    assert unbounded == []
    assert set(ENDED_BY_OTHERS) - seen == set(), "no such call is left"


@pytest.mark.parametrize(
    ("source", "is_endless"),
    [
        ("thread.join()", True),
        ("thread.join(5)", False),
        ("'-'.join(words)", False),
        ("lock.acquire(timeout=1)", False),
        ("self.queue.get()", True),
        ("{}.get('a')", False),
        ("def f():\n    event.wait()", True),
        ("with FileLock(path):\n    pass", True),
        ("with FileLock(path, timeout=1):\n    pass", False),
    ],
)
def test_what_waits_is_recognised(source: str, is_endless: bool) -> None:
    """A wait without an argument is one without an end."""
    assert bool(endless(source)) is is_endless
