"""Classes that differ from a service in one method: what most defects and variants are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

Otherwise = Callable[..., Any]


def overriding(service: type, method: str, otherwise: Otherwise, values: Sequence[Any]) -> type:
    """Gives the class `service` whose `method` gives `otherwise(*values, service, inherited, *given)`.

    `inherited` is the method as it was, `given` what the method is called with. Raises AttributeError where the service
    has no such method.
    """
    getattr(service, method)

    def overridden(self: Any, *given: Any) -> Any:
        return otherwise(*values, self, getattr(super(made, self), method), *given)

    made = type(service.__name__, (service,), {method: overridden})
    return made


def changed(change: Callable[..., Any], _: Any, inherited: Callable[..., Any], *given: Any) -> Any:
    """Gives what `change` makes of a method's result, and of what the method is called with: the usual `otherwise`."""
    return change(inherited(*given), *given)
