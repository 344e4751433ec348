"""Defects and variants of one kind differ from a service in one method, and are registered by one maker."""

from __future__ import annotations

from typing import Any

import pytest

from rampcheck.sandbox import defects, variants
from rampcheck.sandbox.defects import Defect
from rampcheck.sandbox.overriding import overriding
from rampcheck.sandbox.variants import Variant


class Service:
    """Answers with its greeting."""

    greeting = "hello"

    def answer(self, name: str) -> str:
        """Greets."""
        return f"{self.greeting} {name}"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is registered meanwhile."""
    entries: list[Any] = []
    monkeypatch.setattr(defects, "register", entries.append)
    monkeypatch.setattr(variants, "register", entries.append)
    return entries


def test_each_of_a_kind_has_values_of_its_own(registered: list[Defect]) -> None:
    """What the method does otherwise is given them, the service, and the method as it was."""
    repeated = defects.defects(
        Service,
        "answer",
        lambda times, service, inherited, name: f"{inherited(name)}{'!' * times}{len(service.greeting)}",
        breaks=["x.greeting"],
    )
    repeated("once", "It shouts.", 1)
    repeated("twice", "It shouts twice.", 2, may_break=["x.calm"])
    once, twice = registered
    assert (once.service().answer("you"), twice.service().answer("you")) == ("hello you!5", "hello you!!5")  # type: ignore[misc]
    assert twice == Defect("twice", "x", ("x.greeting",), "It shouts twice.", twice.service, ("x.calm",))


def test_two_of_a_kind_in_one_service(registered: list[Defect]) -> None:
    """Each has its turn, the first one last."""
    marked = defects.defects(Service, "answer", section="x.greeting")
    marked("a", ["words"], "It adds an a.", lambda answer, _: f"{answer}a")
    marked("b", ["words", "x.other"], "It adds a b.", lambda answer, _: f"{answer}b", may_break=["order", "x.calm"])
    both = type("Both", (*(entry.service for entry in registered), Service), {})
    assert both().answer("you") == "hello youba"
    assert [entry.clauses for entry in registered] == [("x.greeting.words",), ("x.greeting.words", "x.other")]
    assert registered[1].may_break == ("x.greeting.order", "x.calm")


def test_a_variant_of_a_kind(registered: list[Variant]) -> None:
    """What is the same for all of them is as in a variant by itself."""
    said = variants.variants("x", Service, "answer", lambda text, *_: text, unverified=["x.greeting"])
    said("silent", "It says nothing.", "")
    (silent,) = registered
    assert silent.service().answer("you") == ""  # type: ignore[misc]
    assert (silent.name, silent.contract, silent.unverified) == ("silent", "x", ("x.greeting",))


def test_a_method_that_the_service_lacks() -> None:
    """A defect in it would never be met."""
    with pytest.raises(AttributeError, match="reply"):
        overriding(Service, "reply", lambda *_: "", ())
