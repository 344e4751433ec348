"""rampcheck: does a running server keep the promises of its documentation?

The engine, in the order of the flow: `contract` (what is promised, and who is asked), `wire` (what went to and fro),
`judging` (what was broken, and what becomes of each clause), `running` (the run), `report`. ARCHITECTURE.md has more.
"""

__version__: str


def __getattr__(name: str) -> str:
    """Gives `__version__` when it is first asked for: to find it takes as long as to start Python."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as above

    try:
        found = version("rampcheck")
    except PackageNotFoundError:  # a checkout that was never installed
        found = "0.0.0"
    globals()[name] = found
    return found
