"""A mistake in a profile is named for what it is, with the cure that fits."""

from __future__ import annotations

from pathlib import Path

import pytest

from rampcheck.contract import profile as profiles
from rampcheck.errors import ProfileError
from tests.test_profile import ENVIRON, MINIMAL, TOKEN

WAIVER = MINIMAL + "waivers: [{clause: a, reason: b, until: %s}]\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a profile is."""
    return tmp_path / "profile.yaml"


def refusal(path: Path, text: str, environ: dict[str, str] | None = None) -> ProfileError:
    """The error of a profile with this text."""
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ProfileError) as raised:
        profiles.load(path, ENVIRON if environ is None else environ)
    return raised.value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WAIVER % "2027-13-31", '"2027-13-31"; there is no such day'),
        (WAIVER % "soon", 'found "soon"; write "2027-01-31"'),
        (
            MINIMAL + "  second_client_tokn: ${NOT_SET}\n",
            "profile.yaml:5: credentials.second_client_tokn: unknown key; did you mean second_client_token?",
        ),
        (MINIMAL + "  token: ${NOT_SET}\n", "credentials.token: unknown key; known here: client_token, "),
        (MINIMAL + "partner: {widget_confg: }\n", "partner.widget_confg: unknown key; did you mean widget_config?"),
        (MINIMAL + "partner: {off_ramp: true}\npartner: {widget_id: x}\n", "given twice, first on line 5; put what is"),
        (MINIMAL + "credentials: {}\n", "`rampcheck init --from-run DIR` does that"),
        (MINIMAL + "off_ramp: true\n", "profile.yaml:5: off_ramp: unknown key; it belongs below partner; indent it"),
        (MINIMAL.partition("credentials:")[0] + "credentials:\n  client_token:\n", "credentials: has no value; add"),
        (MINIMAL + "limits: {requests_per_second:5}\n", "unknown key; a value has a space before it, after the colon"),
        (MINIMAL + "enviroment: [{a: '${NOT_SET}'}]\n", "profile.yaml:5: enviroment: unknown key"),
    ],
)
def test_it_is_named(text: str, said: str, path: Path) -> None:
    """An unknown key counts more than a variable that is not set there, or no value; no day is no format."""
    (told,) = refusal(path, text).mistakes
    assert said in told


@pytest.mark.parametrize(
    ("more", "line", "said"),
    [
        ("partner:\n\twidget_id: x\n", 6, "a tab: YAML indents by spaces"),
        ("partner: {origins: [a, b}\nlimits: {}\n", 5, "a bracket or brace that is not closed"),
        ("partner:\n  origins: [a,\n  b\nlimits: {}\n", 6, "a bracket or brace that is not closed"),
        ("partner: {widget_id: x\nlimits: {}\n", 5, "a bracket or brace that is not closed"),
        ("partner: {widget_id: x", 5, "a bracket or brace that is not closed"),
        ("partner: {pairs: [[a, b] [c, d]]}\n", 5, "a bracket or brace that is not closed, or lacks a comma"),
        ("partner: {widget_id: ${A_NAME}}\n", 5, "a bracket or brace that is not closed, or lacks a comma; within"),
        ("partner:\n    off_ramp: true\n  widget_id: x\n", 7, "the indentation: the keys of one section"),
        ("partner:\n  off_ramp: true\n   widget_id: x\n", 7, "a second colon in a line, or a line that is indented"),
        ("partner:\n  widget_id: 'x\n", 6, "a quote that is not closed"),
        ("partner\nlimits: {}\n", 5, "a key without a colon"),
        ("partner", 5, "a key without a colon"),
        ("partner:\n  widget_id: @x\n", 6, "a character that begins no value"),
        ('partner:\n  widget_id: "\\x"\n', 6, ""),
    ],
)
def test_what_is_no_yaml_is_named(more: str, line: int, said: str, path: Path) -> None:
    """By the line where it is to be mended: of a bracket, where it is opened."""
    (told,) = refusal(path, MINIMAL + more).mistakes
    assert f"profile.yaml:{line}: is not YAML: {said}" in told


@pytest.mark.parametrize(
    "name", ["https://user:a-word@sandbox.example", "http://127.0.0.1:8787/x", "HTTPS://a.example"]
)
def test_a_url_is_no_profile(name: str) -> None:
    """Where it stands for a file, the option is named; the URL, which may hold a login, is not shown."""
    with pytest.raises(ProfileError) as refused:
        profiles.load(Path(name), {})
    told = str(refused.value)
    assert "a URL stands where the name of a profile's file is expected" in told
    assert "--base-url" in told
    assert "example" not in told
    assert "127.0.0.1" not in told


def test_a_key_that_may_be_a_secret_is_not_shown(path: Path) -> None:
    """Where a token stands in the place of a credential's name, it is not told."""
    (told,) = refusal(path, f"{MINIMAL}  {TOKEN}: x\n").mistakes
    assert "credentials.(a key that is not shown): unknown key" in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("more", "cure"),
    [
        ("", "Secrets stand in the environment of the run"),
        ("limit: {}\n", "Secrets stand in the environment of the run"),
    ],
)
def test_the_cure_at_the_end_fits(more: str, cure: str, path: Path) -> None:
    """Where variables are missing, how they are set stands there, whatever else is wrong."""
    assert cure in refusal(path, MINIMAL + more, {}).cure


def test_who_has_a_profile_is_not_told_how_to_begin_one(path: Path) -> None:
    """Each mistake says how it is mended; only where there is no file, `init` is what helps."""
    assert refusal(path, MINIMAL + "limit: {}\n", {"PROOF_CLIENT_TOKEN": "a-token-of-some-length"}).cure == ""
    with pytest.raises(ProfileError) as refused:
        profiles.load(path.with_name("nosuch.yaml"), {})
    assert "`rampcheck init` writes a profile" in refused.value.cure


def test_a_heading_without_anything_below_is_left_out(path: Path) -> None:
    """At any depth; an empty mapping that is written out is what it is."""
    path.write_text(
        MINIMAL + "partner:\nsecond_partner:\n  widget_config:\nlimits:\n  max_requests:\nwaivers:\n", encoding="utf-8"
    )
    assert profiles.load(path, ENVIRON).given.keys() == {"contract", "base_url", "credentials"}
    assert "of no use without" in str(refusal(path, MINIMAL + "second_partner: {}\n"))


def test_the_name_of_a_variable_is_no_secret(path: Path) -> None:
    """Taken literally, it is what the cure has to tell; a credential is hidden as ever."""
    local = MINIMAL.replace("https://sandbox.example", "http://127.0.0.1:1")
    path.write_text(local.replace("${PROOF_CLIENT_TOKEN}", "$PROOF_CLIENT_TOKEN"), encoding="utf-8")
    written = profiles.load(path, ENVIRON)
    assert written.credentials["client_token"] == "$PROOF_CLIENT_TOKEN"
    assert written.secrets == {}
    path.write_text(MINIMAL, encoding="utf-8")
    assert TOKEN in profiles.load(path, ENVIRON).secrets.values()


@pytest.mark.parametrize(
    ("value", "fault"), [(f" {TOKEN}", "begins or ends with a space"), (f"{TOKEN}\n", "holds a control character")]
)
def test_a_mistake_in_a_variable_names_it(path: Path, value: str, fault: str) -> None:
    """The line of the profile is right: what is to be mended is what the environment holds."""
    (told,) = refusal(path, MINIMAL, dict.fromkeys(ENVIRON, value)).mistakes
    assert f"the environment variable PROOF_CLIENT_TOKEN {fault}" in told
    assert TOKEN not in told


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("sandbox.yml", "Did you mean {folder}/sandbox.yaml?"),
        ("other.yaml", "`rampcheck init` writes a profile in which every key is explained."),
    ],
)
def test_what_may_be_meant_by_a_file_that_is_not_there_is_told(named: str, said: str, tmp_path: Path) -> None:
    """A file beside it of nearly the same name; else how one is made."""
    (tmp_path / "sandbox.yaml").write_text(MINIMAL, encoding="utf-8")
    with pytest.raises(ProfileError) as raised:
        profiles.load(tmp_path / named, ENVIRON)
    assert raised.value.cure == said.format(folder=tmp_path)


def test_a_contract_is_no_file_of_a_profile() -> None:
    """Where its name is given in place of a file, the option is told."""
    with pytest.raises(ProfileError) as raised:
        profiles.load(Path("proof"), ENVIRON)
    assert raised.value.cure.startswith("Is the contract meant? Then write --contract proof;")


def test_all_mistakes_are_told_at_once(path: Path) -> None:
    """Also where the contract's name has one, and where a credential is written out beside an address that is wrong."""
    text = (
        "contract: prof\nbase_url: http://sandbox.example\nenvironment: staging\n"
        f"credentials: {{client_token: {TOKEN}}}\npartner: {{off_ramp: 7}}\nlimits: {{max_request: 3}}\n"
    )
    told = refusal(path, text).mistakes
    for line, words in enumerate(
        (
            'contract: expected proof or kryptonim, found "prof"; write "proof"',
            "base_url: would send the credentials unencrypted",
            'environment: expected sandbox or production, found "staging"',
            "credentials.client_token: is written out",
            "partner.off_ramp: expected true or false, found 7",
            "limits.max_request: unknown key",
        ),
        start=1,
    ):
        assert any(f"profile.yaml:{line}: {words}" in one for one in told), words
    assert TOKEN not in "".join(told)
