"""Redaction: no known secret and no e-mail address survives, and nothing else changes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from rampcheck.wire.redaction import MOST_LEARNED, Redactor
from tests import leaky_target

KEY = b"0123456789abcdef"
TOKEN = "tok_9f/A+b3Zq8.7xK~w21-Lm"
FIELDS = ("init_token", "signature", "user_email", "widgetUrl")
MARK = r"\[redacted client_token [0-9a-f]{12}\]"

Encode = Callable[[str], str]


@pytest.fixture
def redactor() -> Redactor:
    """A redactor that knows one token."""
    redactor = Redactor(KEY)
    redactor.add("client_token", TOKEN)
    return redactor


def every_percent(text: str) -> str:
    """Writes every byte of UTF-8 as a percent escape."""
    return "".join(f"%{byte:02x}" for byte in text.encode())


def every_json(text: str) -> str:
    """Writes every character as a JSON escape."""
    return "".join(f"\\u{ord(character):04X}" for character in text)


def every_html(text: str) -> str:
    """Writes every character as an HTML reference."""
    return "".join(f"&#{ord(character)};" for character in text)


def mixed(text: str) -> str:
    """Writes each character in another way than its neighbours."""
    ways: list[Encode] = [str, every_percent, every_json, lambda part: f"&#x{ord(part):x};", str]
    return "".join(ways[place % len(ways)](character) for place, character in enumerate(text))


def base64_of(text: str) -> str:
    """Gives the base64 of a text, padded."""
    return base64.b64encode(text.encode()).decode()


def base64url_of(text: str) -> str:
    """Gives the base64 of a text in the alphabet for URLs, not padded."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


ENCODINGS: dict[str, Encode] = {
    "plain": str,
    "upper case": str.upper,
    "percent, reserved": lambda text: quote(text, safe=""),
    "percent, lower-case hex": lambda text: quote(text, safe="").lower(),
    "percent, every character": every_percent,
    "percent, twice": lambda text: quote(quote(text, safe=""), safe=""),
    "percent, three times": lambda text: quote(quote(quote(text, safe=""), safe=""), safe=""),
    "form": quote_plus,
    "JSON, solidus": lambda text: text.replace("/", "\\/"),
    "JSON, hyphen": lambda text: text.replace("-", "\\u002d"),
    "JSON, every character": every_json,
    "JSON in JSON": lambda text: json.dumps(json.dumps(text.replace("-", "\\u002d"))),
    "HTML": html.escape,
    "HTML, every character": every_html,
    "mixed": mixed,
    "mixed, in percent": lambda text: quote(mixed(text), safe=""),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "base64": base64_of,
    "base64url": base64url_of,
    "base64 in percent": lambda text: quote(base64_of(text), safe=""),
    "base64 in JSON": lambda text: base64_of(text).replace("/", "\\/"),
    "percent in base64": lambda text: base64_of(every_percent(text)),
    "JSON in base64url": lambda text: base64url_of(every_json(text)),
    "base64 in base64": lambda text: base64_of(base64_of(text)),
    "UTF-16": lambda text: "".join(f"{character}\0" for character in text),
}

SURROUNDINGS = {
    "alone": "{}",
    "in a sentence": "the token {} is unknown",
    "in JSON": '{{"message": "no {}", "code": 1}}',
    "in a URL": "https://a.example/x?token={}&b=c#{}",
    "in brackets": "({})[{}]<{}>",
}


class TestEncodings:
    """A known value is hidden however it is written."""

    @pytest.mark.parametrize("surrounding", SURROUNDINGS.values(), ids=SURROUNDINGS)
    @pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
    def test_hidden_in_every_encoding(self, redactor: Redactor, encode: Encode, surrounding: str) -> None:
        """However a secret is encoded and wherever it stands, a mark takes its place and all else stays."""
        redacted = redactor.text(surrounding.replace("{}", encode(TOKEN)))
        before, after = re.sub(MARK, "{}", redacted), surrounding
        assert encode(TOKEN) not in redacted
        # An encoding may bring quotes or padding of its own.
        assert re.sub(r'[\\"=\0]|%3D|%253D', "", before) == re.sub(r'[\\"=]', "", after)

    @pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
    @pytest.mark.parametrize("after", ["", ":", ":p", ":pass"])
    @pytest.mark.parametrize("encode", [base64_of, base64url_of])
    def test_hidden_in_base64_at_every_alignment(
        self, redactor: Redactor, encode: Encode, before: str, after: str
    ) -> None:
        """Whatever stands before and after a secret, its base64 is hidden but for the ends it shares."""
        word = encode(before + TOKEN + after)
        redacted = redactor.text(f"Basic {word}, sent")
        left = "".join(re.split(MARK, redacted.removeprefix("Basic ").removesuffix(", sent")))
        assert len(word) - len(left) >= len(TOKEN) * 8 // 6 - 1

    @pytest.mark.parametrize("secret", ["abcd", "a/b-c", "p w+d ok", "sécrèt-of-6", "s\u00fc\u20ac-123456"])
    @pytest.mark.parametrize(
        "encode", [str, str.upper, quote, quote_plus, every_percent, every_json, every_html, mixed]
    )
    def test_short_and_foreign_secrets(self, secret: str, encode: Encode) -> None:
        """Secrets of four characters, with spaces or beyond ASCII are hidden too."""
        redactor = Redactor(KEY)
        redactor.add("client_token", secret)
        assert re.fullmatch(rf"<{MARK}>", redactor.text(f"<{encode(secret)}>"))

    def test_what_is_shorter_is_no_secret(self) -> None:
        """A value of three characters is left alone: it stands in any text by chance."""
        redactor = Redactor(KEY)
        redactor.add("client_token", "abc")
        assert redactor.text("abc") == "abc"

    def test_secrets_that_overlap(self) -> None:
        """Where two secrets share characters, neither shows."""
        redactor = Redactor(KEY)
        redactor.add("first", "alpha-beta-gamma")
        redactor.add("second", "gamma-delta-epsilon")
        redactor.add("third", "beta-gamma")
        assert re.fullmatch(r"\[redacted first \w+\]!", redactor.text("alpha-beta-gamma-delta-epsilon!"))

    @pytest.mark.parametrize(
        ("text", "hidden"),
        [
            (TOKEN[:13], True),
            (TOKEN[:20] + "...", True),
            (TOKEN[:20] + " rest", True),
            (f'"{quote(TOKEN[:20], safe="")}"', True),
            (TOKEN[:12], True),
            (TOKEN[:20] + "x", True),
            (TOKEN[1:20], True),
            (TOKEN[-12:] + TOKEN[:3], True),
            (f"x{TOKEN[6:18]}x", True),
            (TOKEN[:12] + "***" + TOKEN[-3:], True),
            (TOKEN[:11] + "***" + TOKEN[14:], True),
            (TOKEN[:12] + "#" + TOKEN[13:], True),
            (TOKEN[:11], False),
            (TOKEN[-11:], False),
        ],
    )
    def test_a_part_of_a_secret(self, redactor: Redactor, text: str, hidden: bool) -> None:
        """Twelve characters of a secret in a row are hidden, and so is one of which a few are others."""
        assert ("[redacted client_token " in redactor.text(text)) is hidden

    def test_many_secrets_that_begin_and_end_alike(self) -> None:
        """Among hundreds of tokens of one issuer each is still found."""
        redactor = Redactor(KEY)
        tokens = [f"eyJhbGciOiJIUzI1NiJ9.{number:08d}.c2lnbmF0dXJl" for number in range(600)]
        for token in tokens:
            redactor.add("init_token", token)
        for token in tokens[::50]:
            assert re.fullmatch(r"<\[redacted init_token \w+\]>", redactor.text(f"<{token}>"))


class TestMarks:
    """What stands in the place of a secret."""

    def test_equal_values_have_equal_marks(self, redactor: Redactor) -> None:
        """The same value has the same mark in every encoding, in every redactor with the same key."""
        other = Redactor(KEY)
        assert redactor.text(TOKEN) == redactor.text(quote(TOKEN, safe="")) == other.mark("client_token", TOKEN)
        assert redactor.headers([("Authorization", f"Bearer {TOKEN}")])[0][1] == f"Bearer {redactor.text(TOKEN)}"

    def test_other_values_have_other_marks(self, redactor: Redactor) -> None:
        """Ten thousand values have ten thousand marks."""
        assert len({redactor.mark("signature", str(number)) for number in range(10_000)}) == 10_000

    def test_the_key_decides_the_fingerprint(self, redactor: Redactor) -> None:
        """Another run gives the same value another mark, so that a mark cannot be looked up."""
        assert redactor.mark("client_token", TOKEN) != Redactor(b"another key").mark("client_token", TOKEN)

    def test_a_mark_survives_a_second_pass(self, redactor: Redactor) -> None:
        """What is redacted is not redacted again, even where a secret stands in every mark."""
        redactor.add("api_key", "redacted")
        redactor.add("other", "client_token")
        body = json.dumps(
            {
                "init_token": "eyJ-12345678",
                "user_email": "a@b.example",
                "x": TOKEN,
                "widgetUrl": "https://buy.example/pay?gdata=abcdefgh&m=1#part",
            }
        )
        once, _ = redactor.body(body.encode(), FIELDS)
        headers = redactor.headers([("Authorization", f"Bearer {TOKEN}"), ("X-API-Key", "key-12345678"), ("A", TOKEN)])
        url = redactor.url(f"https://user:{TOKEN}@host.example/?a=a@b.example")
        assert redactor.body(once.encode(), FIELDS) == (once, "utf-8")
        assert redactor.text(once) == once
        assert redactor.headers(headers) == headers
        assert redactor.url(url) == url

    def test_a_name_cannot_break_a_mark(self, redactor: Redactor) -> None:
        """Whatever name a value has, its mark is made of the same kinds of characters."""
        assert re.fullmatch(r"\[redacted x_y___ [0-9a-f]{12}\]", redactor.mark('x-y]"\u00fc', "value"))

    def test_a_forged_mark_hides_nothing(self, redactor: Redactor) -> None:
        """A target cannot smuggle a secret through in what looks like a mark."""
        assert TOKEN not in redactor.text(f"[redacted {TOKEN} 0123456789ab]")
        redactor.add("init_token", "plain_secret_1")
        assert "plain_secret_1" not in redactor.text("[redacted plain_secret_1 0123456789ab]")


class TestEmails:
    """E-mail addresses are hidden without being known."""

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("user@example.com", "{}"),
            ("mail user.name+tag@mail.example.co.uk.", "mail {}."),
            ('{"email":"user@example.com","a":1}', '{"email":"{}","a":1}'),
            ("?email=user%40example.com&a=b", "?email={}&a=b"),
            ("?email=user%2Btag%40example.com&a=b", "?email={}&a=b"),
            ('"user\\u0040example.com"', '"{}"'),
            ('"\\nuser@example.com\\n"', '"\\n{}\\n"'),
            ("user&#64;example.com;", "{};"),
            ("<us\u00e9r@ex\u00e4mple.com>", "<{}>"),
            (base64_of("to: user@example.com"), "{}"),
        ],
    )
    def test_hidden(self, redactor: Redactor, text: str, left: str) -> None:
        """An e-mail address is hidden in every encoding and nothing around it."""
        assert re.sub(r"\[redacted email [0-9a-f]{12}\]", "{}", redactor.text(text)) == left

    @pytest.mark.parametrize("text", ["a@b", "@example.com", "user@", "user @example.com", "@@@", "1 @ 2.3"])
    def test_what_is_none_stays(self, redactor: Redactor, text: str) -> None:
        """Text that only resembles an e-mail address is not touched."""
        assert redactor.text(text) == text

    def test_equal_addresses_have_equal_marks(self, redactor: Redactor) -> None:
        """The same address has the same mark in text, in a URL and as a field."""
        mark = redactor.mark("email", "user+a@example.com")
        assert redactor.text("user+a@example.com") == mark
        assert redactor.url("/x?e=user%2Ba%40example.com") == f"/x?e={mark}"
        body = b'{"user_email":"user+a\\u0040example.com"}'
        assert redactor.body(body, FIELDS)[0] == f'{{"user_email":"{mark}"}}'


class TestHeaders:
    """Headers are hidden by name and by value."""

    @pytest.mark.parametrize(
        ("name", "value", "left"),
        [
            ("Authorization", "Bearer abc", "Bearer {}"),
            ("authorization", "bEaReR  abc def", "bEaReR {}"),
            ("Authorization", "Basic dXNlcjpwYXNz", "Basic {}"),
            ("Authorization", "Token abc", "Token {}"),
            ("Authorization", "Digest a=b, c=d", "Digest {}"),
            ("Authorization", "abc", "{}"),
            ("Authorization", "Unheard of", "{}"),
            ("Authorization", "Bearer", "Bearer"),
            ("Authorization", "Bearer ", "Bearer "),
            ("Authorization", "", ""),
            ("Proxy-Authorization", "Basic abc", "Basic {}"),
            ("X-API-Key", "abc", "{}"),
            ("x-request-signature", "00ff", "{}"),
            ("Cookie", "a=b; c=d", "{}"),
            ("Set-Cookie", "a=b; Path=/", "{}"),
            ("Content-Type", "application/json", "application/json"),
            ("X-Echo", f"got {TOKEN}", "got {}"),
            (f"X-{TOKEN}", "1", "1"),
        ],
    )
    def test_hidden(self, redactor: Redactor, name: str, value: str, left: str) -> None:
        """A header that carries credentials is hidden but for a well-known scheme, any other by value."""
        [(shown_name, shown)] = redactor.headers([(name, value)])
        assert re.sub(r"\[redacted \w+ [0-9a-f]{12}\]", "{}", shown) == left
        assert TOKEN not in shown_name
        assert TOKEN in name or shown_name == name

    def test_a_known_value_keeps_its_name(self, redactor: Redactor) -> None:
        """A header's mark names the credential where it is a known one, and the header where it is not."""
        known, unknown = redactor.headers([("Authorization", f"Bearer {TOKEN}"), ("X-API-Key", "other")])
        assert known[1].startswith("Bearer [redacted client_token ")
        assert unknown[1].startswith("[redacted x_api_key ")


class TestUrls:
    """URLs are hidden by value and by login."""

    def test_the_login_is_hidden(self, redactor: Redactor) -> None:
        """User name and password of a URL are hidden, and nothing else of it."""
        shown = redactor.url("https://user:pass@host.example:8443/a%20b?c=d#e")
        assert re.fullmatch(r"https://\[redacted login \w+\]@host\.example:8443/a%20b\?c=d#e", shown)

    def test_a_plain_url_stays(self, redactor: Redactor) -> None:
        """A URL without secrets is not touched."""
        url = "https://host.example:8443/kyc/user%2F1%20x?tx_id=550e8400-e29b-41d4-a716-446655440000&a=%3D"
        assert redactor.url(url) == url


class TestBodies:
    """Members of JSON are hidden by name, character for character around them."""

    def hidden(self, redactor: Redactor, body: str) -> str:
        """Gives the redacted body with {} for each mark."""
        text, encoding = redactor.body(body.encode("utf-8", "surrogatepass"), FIELDS)
        assert encoding == "utf-8"
        return re.sub(r"\[redacted \w+ [0-9a-f]{12}\]", "{}", text)

    @pytest.mark.parametrize(
        ("body", "left"),
        [
            ('{"init_token": "abc"}', '{"init_token": "{}"}'),
            (
                '\t{ "a" : 1.50e+3 ,\n"init_token"\r\n:\t"abc" , "b":[ ]}',
                '\t{ "a" : 1.50e+3 ,\n"init_token"\r\n:\t"{}" , "b":[ ]}',
            ),
            ('{"init_token":"abc","init_token":"def"}', '{"init_token":"{}","init_token":"{}"}'),
            ('{"a":[{"b":{"signature":"abc"}}],"c":"d"}', '{"a":[{"b":{"signature":"{}"}}],"c":"d"}'),
            ('{"initToken":"abc","INIT-TOKEN":"def"}', '{"initToken":"{}","INIT-TOKEN":"{}"}'),
            ('{"init\\u005ftoken":"abc"}', '{"init\\u005ftoken":"{}"}'),
            ('{"init_token":"a\\"b\\\\","x":"y"}', '{"init_token":"{}","x":"y"}'),
            ('{"init_token":12345678.90,"x":1}', '{"init_token":"{}","x":1}'),
            ('{"init_token":-1}', '{"init_token":"{}"}'),
            (
                '{"init_token":{"v":"abc","w":[1,"d",true,null]},"x":"y"}',
                '{"init_token":{"v":"{}","w":["{}","{}",true,null]},"x":"y"}',
            ),
            ('{"init_token":[["a"],{}],"x":"y"}', '{"init_token":[["{}"],{}],"x":"y"}'),
            ('{"init_token":null,"x":"y"}', '{"init_token":null,"x":"y"}'),
            ('{"init_token":true,"x":"y"}', '{"init_token":true,"x":"y"}'),
            ('{"init_token":"","x":"y"}', '{"init_token":"","x":"y"}'),
            ('{"init_token_type":"abc"}', '{"init_token_type":"abc"}'),
            ('{"x":"init_token","y":"abc"}', '{"x":"init_token","y":"abc"}'),
            ('["init_token","abc"]', '["init_token","abc"]'),
            ('{"init_token":"abc', '{"init_token":"{}'),
            ('{"init_token":"abc","x', '{"init_token":"{}","x'),
            ('{"init_token":"abc\\', '{"init_token":"{}\\'),
            ('{"init_token":"abc" "def", "x":"y"}', '{"init_token":"{}" "{}", "x":"y"}'),
            ('oops {"init_token" : "abc"} <html>', 'oops {"init_token" : "{}"} <html>'),
            ('}}]]{"init_token":"abc"}', '}}]]{"init_token":"{}"}'),
            ('{"init_token":}', '{"init_token":}'),
            ('"init_token"', '"init_token"'),
            ("", ""),
        ],
    )
    def test_members_are_hidden(self, redactor: Redactor, body: str, left: str) -> None:
        """Strings and numbers below a named member are hidden in JSON whole or broken, and all else stays."""
        assert self.hidden(redactor, body) == left

    def test_a_url_keeps_its_shape(self, redactor: Redactor) -> None:
        """Of a URL in a named member the host, the path and the names in the query stay to be judged."""
        body = r'{"widgetUrl":"https:\/\/buy-long-name.example\/exchange?gdata=MWX%2BEgq&m=X#frag"}'
        assert self.hidden(redactor, body) == (
            '{"widgetUrl":"https://buy-long-name.example/exchange?gdata={}&m={}#{}"}'
        )
        body = '{"widgetUrl":"https://buy.example/s/7c303babX3jp7c4942904a262a0c1b94/pay?opaque"}'
        assert self.hidden(redactor, body) == '{"widgetUrl":"https://buy.example/s/{}/pay?{}"}'

    def test_a_value_handed_out_is_known_from_then_on(self, redactor: Redactor) -> None:
        """What a named member held is hidden wherever it appears afterwards, in every encoding."""
        opaque = "MWX+EgqPRp" * 10
        body = {
            "init_token": "eyJ-abc/defg",
            "widgetUrl": f"https://a.example/?g={quote(opaque)}&address=0x97BC1915",
        }
        redactor.body(json.dumps(body).replace("/", "\\/").encode(), FIELDS)
        assert "[redacted init_token " in redactor.text("token=eyJ-abc%2Fdefg")
        assert "[redacted widgetUrl " in redactor.text(opaque)

    def test_a_flood_of_values_is_hidden_and_not_remembered(self, redactor: Redactor) -> None:
        """Of one body only so many values are looked for afterwards; all are hidden where they stand."""
        flood = [f"token-{number:06d}-abc" for number in range(MOST_LEARNED + 1)]
        text, _ = redactor.body(json.dumps({"init_token": flood}).encode(), FIELDS)
        assert "token-" not in text
        assert redactor.text(flood[MOST_LEARNED - 1]).startswith("[redacted init_token ")
        assert redactor.text(flood[MOST_LEARNED]) == flood[MOST_LEARNED]
        redactor.body(json.dumps({"init_token": flood[MOST_LEARNED]}).encode(), FIELDS)
        assert redactor.text(flood[MOST_LEARNED]).startswith("[redacted init_token ")

    @pytest.mark.parametrize(
        ("value", "is_learned"),
        [
            ("abc-xy" * 500, True),
            ("abcd" * 500, False),
            (hashlib.shake_256(b"").hexdigest(4000), True),
            (hashlib.shake_256(b"").hexdigest(5000), False),
        ],
        ids=["repetitive", "simple", "long", "too long"],
    )
    def test_what_would_take_too_long_to_look_for(
        self,
        redactor: Redactor,
        value: str,
        is_learned: bool,
    ) -> None:
        """A value that no request can carry, or one of four letters, is hidden only where it stands."""
        text, _ = redactor.body(json.dumps({"init_token": value}).encode(), FIELDS)
        assert value not in text
        assert ("[redacted init_token " in redactor.text(f"<{value}>")) is is_learned

    def test_what_a_request_may_hold_is_not(self, redactor: Redactor) -> None:
        """A wallet address in a URL, the id in an e-mail address and a number stay visible elsewhere."""
        body = b'{"widgetUrl":"https://a.example/?to=0x97BC1915","user_email":"user-12345678@b.example","signature":12345678}'
        redactor.body(body, FIELDS)
        text = '{"address":"0x97BC1915","partner_user_id":"user-12345678","amount":12345678}'
        assert redactor.body(text.encode(), FIELDS) == (text, "utf-8")

    def test_a_word_handed_out_is_not(self, redactor: Redactor) -> None:
        """What a broken target hands out for a token is hidden there; as a word it stays elsewhere."""
        text, _ = redactor.body(b'{"signature":"invalid","error":"invalid_request"}', FIELDS)
        assert re.fullmatch(r'\{"signature":"\[redacted signature \w+\]","error":"invalid_request"\}', text)

    def test_a_known_value_keeps_its_name(self, redactor: Redactor) -> None:
        """A credential that a target hands out as something else is still called by its name."""
        text, _ = redactor.body(json.dumps({"init_token": TOKEN}).encode(), FIELDS)
        assert "[redacted client_token " in text

    def test_json_stays_json(self, redactor: Redactor) -> None:
        """A redacted JSON body has the same members, the same order and the same other values."""
        body = {
            "a": [1, 2.50, None],
            "init_token": {"x": "abc"},
            "e": "\n user@example.com",
            "z": f'"{TOKEN}\\',
        }
        text, _ = redactor.body(json.dumps(body).encode(), FIELDS)
        shown = json.loads(text)
        assert list(shown) == list(body)
        assert shown["a"] == body["a"]
        assert re.fullmatch(r"\n \[redacted email \w+\]", shown["e"])
        assert re.fullmatch(rf'"{MARK}\\', shown["z"])

    def test_bytes_that_are_no_utf8(self, redactor: Redactor) -> None:
        """A body that is not UTF-8 is kept as base64 of the redacted bytes, all others unchanged."""
        body = b"\xff\xfe\x80" + TOKEN.encode() + b' \xc3\x00 {"init_token":"abc\xff"}'
        text, encoding = redactor.body(body, FIELDS)
        assert encoding == "base64"
        assert re.fullmatch(
            rb"\xff\xfe\x80" + MARK.encode() + rb' \xc3\x00 \{"init_token":"\[redacted init_token \w+\]"\}',
            base64.b64decode(text),
        )

    def test_utf16(self, redactor: Redactor) -> None:
        """A secret in a body of UTF-16 is hidden."""
        text, _ = redactor.body(json.dumps({"message": TOKEN}).encode("utf-16"), FIELDS)
        shown = base64.b64decode(text)
        assert TOKEN.encode("utf-16-le")[:16] not in shown
        assert b"[redacted client_token " in shown

    def test_a_huge_body(self, redactor: Redactor) -> None:
        """In megabytes of anything, a secret is hidden."""
        for filling in ("a", "@a.b ", '{"init_token":"', "\\", "%41", "&amp;", "[", "=" * 3 + "A"):
            body = filling * (300_000 // len(filling)) + f" {TOKEN} " + filling * 10
            assert TOKEN not in redactor.body(body.encode(), FIELDS)[0]

    def test_json_full_of_leaks_stays_json(self, redactor: Redactor) -> None:
        """Where every string leaks, each is hidden by itself, and the members stay what they were."""
        told = leaky_target.update("0b0a5d1e-8a6b-4c8e-9a51-2f6f0e9f3a10", "pending", TOKEN)
        text, _ = redactor.body(json.dumps(told).encode(), FIELDS)
        assert json.loads(text)["note"].keys() == told["note"].keys()
        assert all("[redacted " in str(json.loads(text)["note"][name]) for name in leaky_target.fragments(TOKEN))


def test_a_contracts_own_headers_are_secret() -> None:
    """What a contract sends a credential in, or makes of one, is hidden by its name, and where it comes back."""
    signature = "c2lnbmF0dXJlIG9mIG9uZSByZXF1ZXN0"
    sent = [("X-Tiny-Signature", signature), ("x-tiny-key", "a-key-of-nobody"), ("X-Tiny-Nonce", "open")]
    redactor = Redactor(KEY, (), ["X-Tiny-Key"], ["X-Tiny-Signature"])
    redactor.learn_computed(sent)
    shown = dict(redactor.headers(sent))
    assert shown["X-Tiny-Signature"].startswith("[redacted x_tiny_signature")
    assert shown["x-tiny-key"].startswith("[redacted x_tiny_key")
    assert shown["X-Tiny-Nonce"] == "open"
    assert signature not in redactor.text(f"the signature {signature} is wrong")
