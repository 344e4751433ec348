"""The profile: what it takes, and what it says of every mistake."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rampcheck.contract import profile as profiles
from rampcheck.contract.profile import Limits, Partner, Profile, Waiver, Webhook
from rampcheck.contract.urls import is_loopback
from rampcheck.errors import ExitCode, ProfileError, UsageError

TOKEN = "tok-51d07b-3f9a2c-first"
SECOND = "tok-8e22c1-90bd47-second"
ENVIRON = {
    "PROOF_CLIENT_TOKEN": TOKEN,
    "SECOND_TOKEN": SECOND,
    "BASE": "https://sandbox.example/",
    "BUILD": "2026.11.3-rc1",
}

MINIMAL = """\
contract: proof
base_url: https://sandbox.example
credentials:
  client_token: ${PROOF_CLIENT_TOKEN}
"""

FULL = """\
contract: proof
base_url: ${BASE}
environment: sandbox
credentials:
  client_token: ${PROOF_CLIENT_TOKEN}
  second_client_token: ${SECOND_TOKEN}
partner:
  widget_id: fb359d09
  off_ramp: no
  address_mode: resolved
  origins: [https://app.example.com]
  pairs: [[USDT, TRC20], [USDT, ERC20]]
  unprovisioned_pair: [USDT, BEP20]
  disabled_currency: DOGE
  widget_config: {currencies: [USDT], type: buy, lang: en, redirect_url: https://app.example.com/done}
second_partner: {off_ramp: true, address_mode: sent, address: TRx1}
egress: {outside_proxy: "http://user:proxy-password@proxy.example:3128", outside_source_address: 127.0.0.2}
triggers:
  complete: {partner_user_id: "auto-complete-{unique}", redirect_url: null}
webhook: {listen: "127.0.0.1:8099", public_url: "https://hooks.example/in?token=abc"}
limits: {requests_per_second: 0, timeout_seconds: 2.5, max_requests: 20}
waivers:
  - {clause: proof.errors.request-id, reason: ticket 123, until: 2027-01-31, owner: API team, approver: Ms Roe}
  - {clause: proof.session.json, reason: ticket 124}
"""

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profile and gives its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "profile.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def mistakes(path: Path, environ: Mapping[str, str] = ENVIRON) -> list[str]:
    """Gives the mistakes of the profile at `path`, without the folder in them."""
    with pytest.raises(ProfileError) as caught:
        profiles.load(path, environ)
    assert caught.value.exit_code is ExitCode.USAGE
    return [mistake.removeprefix(f"{path.parent}/") for mistake in caught.value.mistakes]


def mapping(**changes: Any) -> dict[str, Any]:
    """Gives the smallest valid profile, with some keys changed."""
    smallest = {"contract": "proof", "base_url": "http://127.0.0.1:8000", "credentials": {"client_token": TOKEN}}
    return smallest | changes


def refused(**changes: Any) -> str:
    """Gives what is said of the smallest valid profile with some keys changed."""
    with pytest.raises(ProfileError) as caught:
        profiles.from_mapping(mapping(**changes), {})
    return "\n".join(caught.value.mistakes)


def full(write: Write) -> Profile:
    """Gives a profile that holds every key."""
    return profiles.load(write(FULL), ENVIRON)


class TestValues:
    """A valid profile."""

    def test_contract_url_and_credentials_are_enough(self, write: Write) -> None:
        """What the smallest profile leaves out is None, empty or the documented default."""
        profile = profiles.load(write(MINIMAL), ENVIRON)
        assert profile.credentials["client_token"] == TOKEN
        assert profile.environment is None
        assert profile.partner == Partner()
        assert profile.second_partner is None
        assert profile.webhook is None
        assert profile.limits == Limits(10.0, 10.0, 1000)
        assert (profile.triggers, profile.waivers) == ({}, ())

    def test_every_key_is_read(self, write: Write) -> None:
        """Every key of the format reaches the profile with its value."""
        profile = full(write)
        assert profile.base_url == "https://sandbox.example"
        assert dict(profile.credentials) == {"client_token": TOKEN, "second_client_token": SECOND}
        assert profile.partner == Partner(
            {
                "widget_id": "fb359d09",
                "off_ramp": False,
                "address_mode": "resolved",
                "origins": ["https://app.example.com"],
                "pairs": [["USDT", "TRC20"], ["USDT", "ERC20"]],
                "unprovisioned_pair": ["USDT", "BEP20"],
                "disabled_currency": "DOGE",
                "widget_config": {
                    "currencies": ["USDT"],
                    "type": "buy",
                    "lang": "en",
                    "redirect_url": "https://app.example.com/done",
                },
            }
        )
        assert profile.partner.get("widget_config.type") == "buy"
        assert profile.partner.get("widget_config.theme") is None
        assert profile.second_partner == Partner({"off_ramp": True, "address_mode": "sent", "address": "TRx1"})
        assert profile.egress.outside_source_address == "127.0.0.2"
        assert profile.triggers == {"complete": {"partner_user_id": "auto-complete-{unique}", "redirect_url": None}}
        assert profile.webhook == Webhook("127.0.0.1:8099", "https://hooks.example/in?token=abc")
        assert profile.limits == Limits(0, 2.5, 20)
        assert profile.waivers == (
            Waiver("proof.errors.request-id", "ticket 123", date(2027, 1, 31), "API team", "Ms Roe"),
            Waiver("proof.session.json", "ticket 124", None),
        )

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("environment", "sandbox"),
            ("partner.off_ramp", False),
            ("partner.widget_config.type", "buy"),
            ("partner.pairs", [["USDT", "TRC20"], ["USDT", "ERC20"]]),
            ("credentials.second_client_token", SECOND),
            ("credentials.inactive_client_token", None),
            ("partner.widget_config.theme", None),
            ("partner.off_ramp.deeper", None),
            ("nothing", None),
        ],
    )
    def test_get(self, write: Write, path: str, value: object) -> None:
        """A dotted path gives the value at it, and None where nothing stands."""
        assert full(write).get(path) == value

    def test_a_key_without_a_value_is_left_out(self, write: Write) -> None:
        """A key whose value is commented out counts as absent."""
        profile = profiles.load(write(MINIMAL + "partner:\n  # widget_id: x\nenvironment:\n"), ENVIRON)
        assert profile.partner == Partner()
        assert profile.get("environment") is None

    def test_a_kryptonim_profile(self) -> None:
        """The contract decides which credentials and environments there are."""
        profile = profiles.from_mapping(
            {
                "contract": "kryptonim",
                "base_url": "https://api.example/v",
                "environment": "testnet",
                "credentials": {"api_key": "${KEY}", "signature_secret": "${SECRET}"},
                "partner": {"destination_address": "0x97", "crypto_currency": "USDC", "network": "polygon"},
            },
            {"KEY": "key-12345678", "SECRET": "sécret-87654321"},
        )
        assert dict(profile.credentials) == {"api_key": "key-12345678", "signature_secret": "sécret-87654321"}
        assert profile.partner.get("destination_address") == "0x97"

    def test_dates_may_be_given_as_such(self) -> None:
        """A mapping may hold a date where the file holds its text."""
        waiver = {"clause": "a", "reason": "b", "until": date(2027, 1, 31)}
        assert profiles.from_mapping(mapping(waivers=[waiver]), {}).waivers[0].until == date(2027, 1, 31)

    @pytest.mark.parametrize(
        "url", ["http://localhost", "http://127.8.9.10:1/", "http://[::1]:8000", "https://LOCALHOST/"]
    )
    def test_this_machine_needs_no_secrecy(self, url: str) -> None:
        """A target on this machine may be reached by http and with credentials that are written out."""
        profile = profiles.from_mapping(mapping(base_url=url), {})
        assert profile.base_url == url.rstrip("/")
        assert is_loopback(url)

    def test_from_environment(self) -> None:
        """Without a file the credentials come from variables of their own names, the optional ones if set."""
        environ = {
            "PROOF_CLIENT_TOKEN": TOKEN,
            "PROOF_SECOND_CLIENT_TOKEN": SECOND,
            "PROOF_INACTIVE_CLIENT_TOKEN": "",
        }
        profile = profiles.from_environment("proof", "https://sandbox.example", environ)
        assert dict(profile.credentials) == {"client_token": TOKEN, "second_client_token": SECOND}

    def test_from_environment_names_what_is_missing(self) -> None:
        """Without a file, each variable that a contract cannot do without is asked for by name."""
        with pytest.raises(ProfileError) as caught:
            profiles.from_environment("kryptonim", "https://testnet.example", {})
        first, second = caught.value.mistakes
        assert first.startswith("command line: credentials.api_key: the environment variable KRYPTONIM_API_KEY ")
        assert "KRYPTONIM_SIGNATURE_SECRET" in second

    def test_from_environment_of_no_contract(self) -> None:
        """A contract that does not exist is told of, with those that do."""
        with pytest.raises(UsageError, match=r"no contract 'prof'(?s:.*)kryptonim, proof"):
            profiles.from_environment("prof", "https://testnet.example", {})


class TestSecrecy:
    """Credentials stay where they are."""

    def test_nothing_public_holds_a_secret(self, write: Write) -> None:
        """The public form shows credentials by name only, and no login or query of a URL."""
        profile = full(write)
        public = json.dumps(profile.as_public())
        for secret in (TOKEN, SECOND, "proxy-password", "token=abc"):
            assert secret not in public
        assert profile.as_public()["credentials"] == ["client_token", "second_client_token"]
        assert profile.as_public()["egress"]["outside_proxy"] == "http://proxy.example:3128"
        assert profile.as_public()["partner"]["widget_id"] == "fb359d09"

    def test_no_representation_holds_a_secret(self, write: Write) -> None:
        """Printing a profile, or its credentials, shows no value of a credential."""
        profile = full(write)
        shown = repr(profile) + repr(profile.credentials)
        assert "client_token" in shown
        for secret in (TOKEN, SECOND, "proxy-password", "token=abc"):
            assert secret not in shown

    def test_secrets_are_all_there_is_to_hide(self, write: Write) -> None:
        """The secrets are the credentials and the proxy's password, by name."""
        assert full(write).secrets == {
            "client_token": TOKEN,
            "second_client_token": SECOND,
            "outside_proxy_password": "proxy-password",
        }

    @pytest.mark.parametrize(
        "text",
        [
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "98765432109"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "sekret-98765432109"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "[sekret-98765432109]"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "*sekret-98765432109"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "!sekret-98765432109"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", "!sekret-98765432109!x y"),
            MINIMAL.replace("${PROOF_CLIENT_TOKEN}", '"sekret-98765432109'),
            MINIMAL.replace("client_token: ${PROOF_CLIENT_TOKEN}", "sekret-98765432109"),
            MINIMAL.replace("client_token: ${PROOF_CLIENT_TOKEN}", "sekret-98765432109: x"),
            MINIMAL.replace("client_token: ${PROOF_CLIENT_TOKEN}", "98765432109: x"),
            MINIMAL.replace("https://", "https://user:sekret-98765432109@"),
            MINIMAL.replace("https://", "https://user:sekret-98765432109\\@"),
            MINIMAL.replace("https://sandbox.example", "sekret-98765432109"),
            MINIMAL.replace("https://sandbox.example", "https://sandbox.example/?key=sekret-98765432109"),
            MINIMAL + "environment: ${SEKRET}\n",
            MINIMAL + "partner: {origins: [${SEKRET}]}\n",
            MINIMAL + "egress: {outside_proxy: 'ftp://a:sekret-98765432109@b'}\n",
            MINIMAL + "egress: http://a:sekret-98765432109@b\n",
            MINIMAL + "webhook: {listen: sekret-98765432109, public_url: sekret-98765432109}\n",
            "sekret-98765432109",
            "sekret-98765432109: [",
        ],
    )
    def test_no_message_holds_a_secret(self, write: Write, text: str) -> None:
        """Whatever is wrong, a value that may be a credential is neither in the message nor in its cause."""
        with pytest.raises(ProfileError) as caught:
            profiles.load(write(text), {**ENVIRON, "SEKRET": "sekret-98765432109\n"})
        assert "98765432109" not in str(caught.value)
        assert "98765432109" not in str(caught.value.__cause__)

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("sekret-12345678\n", "control character"),
            ("sekret-\x0012345678", "control character"),
            ("sekrét-12345678", "no HTTP header carries"),
            (" sekret-12345678", "begins or ends with a space"),
            ("sekret", "is shorter than 8 characters"),
            ("", "is shorter than 8 characters"),
        ],
    )
    def test_a_credential_must_fit_into_a_header(self, value: str, said: str) -> None:
        """A credential that no header can carry, or that is no secret, is refused without being shown."""
        message = refused(credentials={"client_token": value})
        assert message.startswith("profile: credentials.client_token: ")
        assert said in message
        assert "12345678" not in message

    @pytest.mark.parametrize("written", ["sekret-12345678", "sekret-${PROOF_CLIENT_TOKEN}"])
    def test_a_credential_is_a_reference(self, write: Write, written: str) -> None:
        """For a target elsewhere a credential that is written out, even in part, is refused."""
        assert mistakes(write(MINIMAL.replace("${PROOF_CLIENT_TOKEN}", written))) == [
            (
                "profile.yaml:4: credentials.client_token: is written out; "
                "write ${PROOF_CLIENT_TOKEN} and set that variable for the run"
            )
        ]


class TestMistakes:
    """One line for each mistake: file, line, place, cause and cure."""

    def test_all_are_told_at_once(self, write: Write) -> None:
        """All mistakes of a file are told, in the order of its lines, each once."""
        text = """\
contract: proof
base_url: https://sandbox.example
enviroment: sandbox
credentials:
  client_token: ${NOT_SET}
partner:
  off_ramp: maybe
  pairs: [USDT, [NO, TRC20]]
  address_mode: sent
limits: {timeout_seconds: .nan, max_requests: 0}
waivers:
  - clause: proof.session.json
"""
        assert mistakes(write(text)) == [
            "profile.yaml:3: enviroment: unknown key; did you mean environment?",
            (
                "profile.yaml:5: credentials.client_token: the environment variable NOT_SET "
                "is not set or is empty; set it"
            ),
            "profile.yaml:6: partner.address: missing",
            'profile.yaml:7: partner.off_ramp: expected true or false, found "maybe"',
            (
                'profile.yaml:8: partner.pairs[0]: expected a list of [currency, network], found "USDT"; '
                'write ["USDT", "TRC20"]'
            ),
            "profile.yaml:8: partner.pairs[1][0]: expected a text, found false; put it in quotes",
            "profile.yaml:10: limits.timeout_seconds: is not a finite number",
            "profile.yaml:10: limits.max_requests: expected a whole number from 1 to 1000000, found 0",
            'profile.yaml:12: waivers[0].reason: missing; add reason: "ticket 123"',
        ]

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", 'profile.yaml: contract: missing; add contract: "proof"'),
            ("- a\n", "profile.yaml:1: expected a mapping with the keys of a profile, found a list"),
            (
                "contract: proof\nbase_url: https://a.example\n",
                'credentials: missing; add credentials: {"client_token": "${PROOF_CLIENT_TOKEN}"}',
            ),
            (
                MINIMAL + "partner:\n  widget_id: a\n  widget_id: b\n",
                "profile.yaml:7: partner.widget_id: given twice, first on line 6; keep one",
            ),
            (MINIMAL + "partner: {? [a] : b}\n", "profile.yaml:5: partner: holds a key that is not a text"),
            (MINIMAL + "partner: {yes: b}\n", "profile.yaml:5: partner: holds a key that is not a text"),
            (
                MINIMAL + "partner: {widget_id: &a x, lang: *a}\n",
                "profile.yaml:5: is not YAML: anchors and aliases",
            ),
            (MINIMAL + "partner: {widget_id: !!python/name:os.system x}\n", "partner.widget_id: is no text"),
            (
                MINIMAL + f"limits: {{max_requests: {'9' * 5000}}}\n",
                "limits.max_requests: is no text, number",
            ),
            (
                MINIMAL + f"limits: {{max_requests: 0x{'f' * 5000}}}\n",
                "limits.max_requests: is no text, number",
            ),
            (
                MINIMAL + "limits: {max_requests: 1.5}\n",
                "expected a whole number from 1 to 1000000, found 1.5",
            ),
            (MINIMAL + "limits: {max_requests: true}\n", "found true"),
            (MINIMAL + "limits: {requests_per_second: -1}\n", "expected a number from 0 to 10000, or auto, found -1"),
            (MINIMAL + "partner: {widget_id: 123}\n", "expected a text, found 123; put it in quotes"),
            (MINIMAL + "partner: {origins: [https://a.example/]}\n", "no slash at the end"),
            (
                MINIMAL + "partner: {origins: []}\n",
                "partner.origins: expected a list of origins, found a list",
            ),
            (MINIMAL + "partner: {widget_id: ''}\n", 'partner.widget_id: expected a text, found ""'),
            (MINIMAL + "partner: {widget_id: '${}'}\n", "holds ${ that begins no reference; write ${NAME}"),
            (
                MINIMAL + "partner: {widget_id: '${BASE'}\n",
                "holds ${ that begins no reference; write ${NAME}",
            ),
            (MINIMAL + 'partner: {widget_id: "a\\nb"}\n', "partner.widget_id: holds a control character"),
            (MINIMAL + "environment: testnet\n", 'expected sandbox or production, found "testnet"'),
            (
                MINIMAL + "waivers: [{clause: a, reason: b, until: 2027-02-30}]\n",
                'waivers[0].until: expected a date, YYYY-MM-DD, found "2027-02-30"',
            ),
            (MINIMAL + "waivers: [{clause: a, reason: b, until: 2027-02-03 10:00:00}]\n", "expected a date"),
            (
                MINIMAL + "second_partner: {off_ramp: true}\n",
                "second_partner: is of no use without credentials.second_client_token; add that",
            ),
            (
                MINIMAL + "  second_client_token: ${PROOF_CLIENT_TOKEN}\n",
                "profile.yaml:5: credentials.second_client_token: is the same as credentials.client_token",
            ),
            (
                MINIMAL + "partner: {pairs: [[A, B]], unprovisioned_pair: [A, B]}\n",
                "partner.unprovisioned_pair: is one of partner.pairs as well",
            ),
            (
                MINIMAL + "egress: {outside_source_address: 127.0.0.256}\n",
                "egress.outside_source_address: expected an IP address of this machine",
            ),
            (MINIMAL + "egress: {outside_proxy: 'http://[:1'}\n", "egress.outside_proxy: is not a valid URL"),
            (
                MINIMAL + "webhook: {listen: '127.0.0.1:65536', public_url: 'https://a.example'}\n",
                "webhook.listen: expected an address and a port",
            ),
            (
                MINIMAL + "triggers: {complete: {}}\n",
                "triggers.complete: expected a mapping of request fields",
            ),
            (
                MINIMAL + "triggers: {completes: {a: b}}\n",
                "triggers.completes: unknown key; did you mean complete?",
            ),
            (
                MINIMAL + 'partner: {"a\\eb": x}\n',
                "partner.(a key that is not shown): unknown key; known here: widget_id, ",
            ),
            (MINIMAL + "partner: {widget_id: [}\n", "profile.yaml:5: is not YAML: "),
            ("a: b: c\n", "profile.yaml:1: is not YAML: a second colon in a line"),
            ("a: b\n--- \nc: d\n", "profile.yaml:2: is not YAML: a second document begins at ---"),
            ("a: b\nc: \x01\n", "profile.yaml:2: is not YAML: a control character"),
            (b"contract: proof\n# \xff\n", "profile.yaml:2: is not UTF-8 text; save it as UTF-8"),
            ("a: b\n".encode("utf-16"), "profile.yaml:1: is not UTF-8 text"),
            ("[" * 5_000, "profile.yaml: is nested too deeply"),
            ("#" * (128 * 1024 + 1), "profile.yaml: is larger than 128 KiB, so it is no profile"),
        ],
        ids=lambda value: str(value)[:60],
    )
    def test_each_has_a_message(self, write: Write, text: str | bytes, said: str) -> None:
        """A mistake is told with file, line, place, cause and cure."""
        assert said in "\n".join(mistakes(write(text)))

    def test_a_byte_order_mark_is_no_mistake(self, write: Write) -> None:
        """A file with the byte order mark that some editors write is read all the same."""
        assert profiles.load(write(b"\xef\xbb\xbf" + MINIMAL.encode()), ENVIRON).contract == "proof"

    def test_no_file(self, tmp_path: Path) -> None:
        """A file that is not there is told by its name."""
        assert mistakes(tmp_path / "profile.yaml") == ["profile.yaml: cannot be read: No such file or directory"]

    def test_a_folder(self, tmp_path: Path) -> None:
        """A folder is no profile."""
        (tmp_path / "profile.yaml").mkdir()
        assert mistakes(tmp_path / "profile.yaml") == ["profile.yaml: is a folder; name the file of a profile"]

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            ("http://sandbox.example", "would send the credentials unencrypted"),
            ("http://127.0.0.1.example", "would send the credentials unencrypted"),
            ("http://0.0.0.0:80", "would send the credentials unencrypted"),
            ("HTTP://sandbox.example", "would send the credentials unencrypted"),
            ("sandbox.example", "is not an absolute URL: its scheme is missing; write https:// in front of it"),
            ("localhost:8787", "is not an absolute URL: its scheme is missing; write http:// in front of it"),
            ("ftp://sandbox.example", "is not an absolute URL"),
            ("https://", "is not an absolute URL"),
            ("https://sandbox.example:99999", "is not an absolute URL"),
            ("https://sandbox.example:port", "is not an absolute URL"),
            ("https://sand box.example", "is not an absolute URL"),
            ("https://sandbox.example/a b", "is not an absolute URL"),
            ("https://user@sandbox.example", "holds a user name or password"),
            ("https://127.0.0.1\\@sandbox.example", "holds a user name or password"),
            ("https://sandbox.example?a=b", "holds a query or a fragment"),
            ("https://sandbox.example/#a", "holds a query or a fragment"),
            ("https://sandbox.example\n", "holds a control character"),
        ],
    )
    def test_a_base_url_is_absolute_and_safe(self, url: str, said: str) -> None:
        """A base URL that is not absolute, holds more or would send a token in clear is refused."""
        message = refused(base_url=url)
        assert message.startswith("profile: base_url: ")
        assert said in message

    def test_the_lines_of_a_list_are_known(self, write: Write) -> None:
        """A mistake in an item of a list is told with the line of the item."""
        text = MINIMAL + "partner:\n  pairs:\n    - [USDT, TRC20]\n    - [USDT]\n"
        assert mistakes(write(text))[0].startswith("profile.yaml:8: partner.pairs[1]: expected a list of ")
