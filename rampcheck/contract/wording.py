"""Advice about a profile, in the words of who has none: the options that stand in its place."""

from __future__ import annotations

import re

from rampcheck.contract.profile import Profile

# What advice says of a profile, and what it is where there is none.
OPTIONS = (
    (r"`tls\.ca` in the profile, or (--ca-bundle(?: \(or SSL_CERT_FILE\))?),", r"\1"),
    (r"`tls\.ca` in the profile, (?=--ca-bundle)", ""),
    (r"; in the profile write \S+", "."),
    (r"`(contract|environment): ([\w-]+)` in the profile", r"`--\1 \2`"),
    (r"`(contract|environment): ([\w-]+)`", r"`--\1 \2`"),
    (r"`base_url`", "`--base-url`"),
    (r"`environment`", "`--environment`"),
)
KEY = re.compile(r"`[a-z_]+(\.[a-z_]+)+`|`[a-z_]+: \w+`|in the profile")  # what only a profile says
MADE = "`rampcheck init` writes a profile."


def worded(text: str, profile: Profile) -> str:
    """Gives advice, or what was found, as it is for who runs with a file of a profile, or without one.

    What can only be said in a profile stays, with how one is made.
    """
    if profile.has_file:
        return text
    for pattern, option in OPTIONS:
        text = re.sub(pattern, option, text)
    if KEY.search(text):
        text = f"{text.rstrip().rstrip('.')}. {MADE}"
    return text.replace("in the profile", "in a profile")


def lacks(needed: str, profile: Profile) -> str:
    """Says that what is `needed` is not given; where there is no file, that it takes one."""
    return f"the profile lacks {needed}" if profile.has_file else f"no profile gives {needed}"
