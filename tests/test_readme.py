"""What the README tells is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rampcheck.cli import main
from rampcheck.contract import profile
from rampcheck.errors import ExitCode

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_option_that_the_readme_names_exists() -> None:
    """Each `rampcheck` command of the README has a help page that knows its options."""
    commands = re.findall(r"^rampcheck (\w+)(.*)$", README, re.MULTILINE)
    assert commands
    for command, rest in commands:
        helped = subprocess.run(
            [sys.executable, "-m", "rampcheck.cli", command, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for option in re.findall(r"(?<= )--?[a-z][a-z-]*", rest.partition("#")[0]):
            assert option in helped, f"rampcheck {command} {option}"


def test_every_command_is_in_the_readme() -> None:
    """No command of the program goes unmentioned."""
    assert {name for name in main.commands if f"rampcheck {name}" not in README} == set()


def test_the_readmes_profile_is_one() -> None:
    """The example profile has no mistake."""
    text = re.search(r"```yaml\n(# sandbox.yaml\n.*?)```", README, re.DOTALL)
    assert text
    environment = {
        "PROOF_CLIENT_TOKEN": "a-token-of-some-length",
        "PROOF_INACTIVE_CLIENT_TOKEN": "an-inactive-token",
        "PROOF_SECOND_CLIENT_TOKEN": "another-partners-token",
    }
    read = profile.from_mapping(yaml.safe_load(text[1]), environment)
    assert read.partner.get("pairs") == [["USDT", "TRC20"], ["USDT", "ERC20"]]


def test_every_exit_code_is_in_the_readme() -> None:
    """The table of exit codes is complete."""
    table = README[README.index("| exit code |") :]
    assert {code.value for code in ExitCode} == {int(code) for code in re.findall(r"^\| (\d) \|", table, re.MULTILINE)}


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(target: str) -> None:
    """Links and pictures of the README are in the repository."""
    assert (ROOT / target).exists()
