"""`python -m rampcheck.sandbox --contract NAME`: serves the reference until its standard input ends."""

from __future__ import annotations

import argparse
import sys

from rampcheck.errors import RampcheckError
from rampcheck.sandbox.reference import references
from rampcheck.sandbox.server import serve


def main() -> int:
    """Reads the command line and serves; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rampcheck.sandbox", description=__doc__)
    parser.add_argument("--contract", required=True, choices=references())
    parser.add_argument("--port", type=int, default=0, help="0 (the default) takes a free one")
    parser.add_argument("--defect", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--variant", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--environment", help="the contract's test environment unless given")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="each answer waits")
    parser.add_argument("--webhook-url", metavar="URL", help="where webhooks go; none are sent unless given")
    options = parser.parse_args()
    try:
        serve(
            options.contract,
            port=options.port,
            defects=options.defect,
            variants=options.variant,
            environment=options.environment,
            latency=options.latency,
            webhook_url=options.webhook_url,
        )
    except RampcheckError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
