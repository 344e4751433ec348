"""Of whom a run speaks, and for how long it holds once it is signed, as the profile says."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Profile, SignOff, Subject
from rampcheck.errors import ProfileError, UsageError
from rampcheck.report import files, terminal
from tests import samples

SUBJECT = {"partner": "Example Ltd", "build": "${BUILD}", "requested_by": "Onboarding"}
ENVIRON = {"T": "token-of-nobody-1", "BUILD": "2026.11.3-rc1"}


def profile(**more: Any) -> Profile:
    """A profile with these members beside those that it has to have."""
    told = {"contract": "proof", "base_url": "https://sandbox.example", "credentials": {"client_token": "${T}"}}
    return profiles.from_mapping({**told, **more}, ENVIRON)


def test_nothing_has_to_be_said() -> None:
    """Left out, the subject is empty, and a signed run holds for ninety days."""
    assert (profile().subject, profile().sign_off) == (Subject("", "", ""), SignOff(90))


def test_what_the_environment_gives_is_shown() -> None:
    """A build that a pipeline sets is no secret: it stands in the report."""
    told = profile(subject=SUBJECT, sign_off={"valid_days": 30})
    assert told.subject == Subject("Example Ltd", "2026.11.3-rc1", "Onboarding")
    assert told.sign_off == SignOff(30)
    assert "2026.11.3-rc1" not in told.secrets.values()
    assert told.as_public()["subject"]["build"] == "2026.11.3-rc1"


def test_the_command_line_names_another_build() -> None:
    """It goes before the profile's, also where that names none; what is public has it, too."""
    for told, partner in ((profile(subject=SUBJECT), "Example Ltd"), (profile(), "")):
        another = told.of_build("7")
        assert (another.subject.build, another.subject.partner) == ("7", partner)
        assert another.as_public()["subject"]["build"] == "7"
    with pytest.raises(UsageError, match="control character"):
        profile().of_build("7\n")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subject": {"build": 7}}, "subject.build: expected a text, found 7; put it in quotes"),
        ({"subject": {"partner": ""}}, "subject.partner: expected a text"),
        ({"subject": {"version": "7"}}, "subject.version: unknown key"),
        ({"subject": "7"}, "subject: expected a mapping with partner, build or requested_by"),
        ({"sign_off": {"valid_days": 0}}, "sign_off.valid_days: expected a whole number from 1 to 3650, found 0"),
        ({"sign_off": {"valid_days": "90"}}, "sign_off.valid_days: expected a whole number"),
        ({"sign_off": {"until": "2027-01-01"}}, "sign_off.until: unknown key; known here: valid_days"),
        ({"waivers": [{"clause": "c", "reason": "r", "owner": ["a"]}]}, "waivers[0].owner: expected a text"),
    ],
)
def test_mistakes_are_told(changes: dict[str, Any], said: str) -> None:
    """With the place, what was expected and how to mend it."""
    with pytest.raises(ProfileError) as caught:
        profile(**changes)
    assert said in "\n".join(caught.value.mistakes)


def test_each_file_of_a_run_names_the_build() -> None:
    """Whoever reads one of them alone knows of which release it speaks; annotations stand beside their job."""
    results = samples.gaps()
    results["subject"] = {"partner": "Example Ltd", "build": "2026.11.3-rc1", "requested_by": ""}
    written = files.rendered(results, {})
    assert [name for name, content in written.items() if b"2026.11.3" not in content] == ["annotations.txt"]
    console = Console(file=io.StringIO(), width=200)
    terminal.print_summary(results, console, None)
    assert "Build: 2026.11.3-rc1" in console.file.getvalue()
