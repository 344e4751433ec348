"""Examples in Express and in PHP that are wrong in one thing: a place of their text is another one.

Those in Python are classes (`programs`); these languages have no such way to change a program from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.partners.programs import COMMANDS, EXAMPLES, contract_of, missing

EXPRESS, PHP, KRYPTONIM = (
    EXAMPLES / name for name in ("proof/express/purchase.mjs", "proof/purchase.php", "kryptonim/purchase.php")
)


@dataclass(frozen=True)
class Change:
    """An example in which `old` is `new`, which breaks a clause, as is seen in these steps, at this `time_scale`."""

    name: str
    example: Path
    old: str
    new: str
    breaks: str
    steps: tuple[str, ...] = ("works",)
    time_scale: float = 0.1

    @property
    def contract(self) -> str:
        """Whose example it is."""
        return contract_of(self.example)

    @property
    def clauses(self) -> set[str]:
        """The clauses that are broken, and no other one is."""
        return {f"{self.contract}.partner.{self.breaks}"}

    @property
    def missing(self) -> str:
        """Why it cannot be run here; "" where it can."""
        return missing(self.example)

    def command(self, folder: Path) -> list[str]:
        """Writes the program into a folder, and gives what runs it."""
        text = self.example.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.name}: {self.old!r} stands there {text.count(self.old)} times"
        folder.mkdir(parents=True, exist_ok=True)
        program = folder / self.example.name
        program.write_text(text.replace(self.old, self.new), encoding="utf-8")
        if (packages := self.example.parent / "node_modules").is_dir():
            (folder / packages.name).symlink_to(packages)
        return [*COMMANDS[program.suffix], str(program)]


WITH_WEBHOOKS = 0.5  # a webhook that a busy machine delivers late still finds somebody who listens
CHANGES = [
    # Express: what its own conveniences tempt to.
    Change("express-does-not-trust-its-proxy", EXPRESS, 'app.set("trust proxy", "loopback");', "", "client-ip"),
    Change("express-sends-no-address", EXPRESS, ", client_ip: ip }", " }", "client-ip"),
    Change(
        "express-amount-as-number",
        EXPRESS,
        "network, amount, client_ip",
        "network, amount: +amount, client_ip",
        "amount-string",
    ),
    Change(
        "express-passes-the-browsers-headers-on",
        EXPRESS,
        '"Content-Type": "application/json" },\n    signal',
        '"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin" },\n    signal',
        "backend-only",
    ),
    Change(
        "express-token-in-the-answer",
        EXPRESS,
        "response.json(session);",
        "response.json({ ...session, token: env.PROOF_CLIENT_TOKEN });",
        "token-placement",
    ),
    Change(
        "express-picks-some-values",
        EXPRESS,
        "response.json(session);",
        "const { init_token, signature, widget_id } = session;\n"
        "  response.json({ init_token, signature, widget_id, merchant_transaction_id: id });",
        "verbatim",
    ),
    Change(
        "express-rewrites-the-signature",
        EXPRESS,
        "response.json(session);",
        "response.json({ ...session, signature: session.signature.toLowerCase() });",
        "verbatim",
        ("unusual-values",),
    ),
    Change(
        "express-asks-before-it-answers",
        EXPRESS,
        "  response.sendStatus(204);\n  await ask(id)",
        "  await wait(3);\n  response.sendStatus(204);\n  await ask(id)",
        "webhook-answers",
        ("webhook-twice",),
        time_scale=WITH_WEBHOOKS,
    ),
    Change(
        "express-parses-webhooks-as-text",
        EXPRESS,
        "app.post(webhookUrl.pathname, express.json()",
        "app.post(webhookUrl.pathname, express.text()",
        "webhook-answers",
        ("works", "webhook-late"),
        time_scale=WITH_WEBHOOKS,
    ),
    Change(
        "express-books-each-webhook",
        EXPRESS,
        "  response.sendStatus(204);\n",
        "  response.sendStatus(204);\n  appendFileSync(books, `${id} ${body.status}\\n`);\n",
        "webhook-idempotent",
        ("webhook-twice", "webhook-out-of-order"),
        time_scale=WITH_WEBHOOKS,
    ),
    Change(
        "express-gives-up-at-once",
        EXPRESS,
        "{ 502: [1, 2, 4, 8], 500: [1] }",
        "{ 500: [1] }",
        "retries-502",
        ("fails-once",),
    ),
    Change(
        "express-retries-whatever-fails",
        EXPRESS,
        "{ 502: [1, 2, 4, 8], 500: [1] }",
        "{ 502: [1, 2, 4, 8], 500: [1], 403: [1, 2] }",
        "no-retry-4xx",
        ("forbidden",),
    ),
    Change("express-polls-every-second", EXPRESS, "pollSeconds = 7", "pollSeconds = 1", "polls", ("takes-long",)),
    # PHP: its own JSON, its own numbers.
    Change(
        "php-amount-as-number", PHP, "env('RAMPCHECK_AMOUNT'),", "(float) env('RAMPCHECK_AMOUNT'),", "amount-string"
    ),
    Change("php-address-of-the-server", PHP, "env('RAMPCHECK_CLIENT_IP'),", "gethostbyname('localhost'),", "client-ip"),
    Change(
        "php-token-in-the-query",
        PHP,
        "env('RAMPCHECK_BASE_URL') . $path,",
        "env('RAMPCHECK_BASE_URL') . $path . '?key=' . env('PROOF_CLIENT_TOKEN'),",
        "token-placement",
    ),
    Change("php-without-bearer", PHP, "'Authorization: Bearer '", "'Authorization: '", "token-placement"),
    Change(
        "php-decimals-of-its-own",
        PHP,
        "send(env('RAMPCHECK_WIDGET_URL'), $session);",
        "$values = json_decode($session, true);\n"
        "    $values = array_map(fn ($value) => is_numeric($value) ? (float) $value : $value, $values);\n"
        "    send(env('RAMPCHECK_WIDGET_URL'), json_encode($values));",
        "verbatim",
    ),
    Change(
        "php-retries-500-three-times", PHP, "500 => [1]]", "500 => [1, 1, 1]]", "retries-500-once", ("internal-error",)
    ),
    Change(
        "php-the-same-pause-always",
        PHP,
        "[502 => [1, 2, 4, 8]",
        "[502 => [8, 8, 8, 8]",
        "retries-502",
        ("fails-always",),
    ),
    Change("php-asks-for-its-own-id", PHP, "echo follow($id)", "echo follow('order-' . $id)", "keeps-id"),
    Change(
        "php-goes-on-asking",
        PHP,
        "in_array($status, TERMINAL, true)",
        "in_array($status, TERMINAL, true) && $polls > 9",
        "polls",
    ),
    Change(
        "php-signs-json-again", KRYPTONIM, "signed($body));", "signed(json_encode(json_decode($body))));", "signs-bytes"
    ),
    Change(
        "php-signs-in-base64",
        KRYPTONIM,
        "hash_hmac('sha256', $body, env('KRYPTONIM_SIGNATURE_SECRET')),",
        "base64_encode(hash_hmac('sha256', $body, env('KRYPTONIM_SIGNATURE_SECRET'), true)),",
        "signs-bytes",
    ),
    Change(
        "php-key-in-the-body",
        KRYPTONIM,
        "'metadata' => [",
        "'metadata' => ['key' => env('KRYPTONIM_API_KEY'), ",
        "secret-placement",
    ),
    Change(
        "php-both-amounts", KRYPTONIM, "'cryptoCurrency' =>", "'fiatAmount' => 100, 'cryptoCurrency' =>", "one-amount"
    ),
    Change(
        "php-plain-http",
        KRYPTONIM,
        "'https://partner.example/bought'",
        "'http://partner.example/bought'",
        "https-redirects",
    ),
    Change(
        "php-opens-the-same-again",
        KRYPTONIM,
        "    $session = createSession(); // a session",
        "    // a session",
        "expired",
        ("expired",),
    ),
    Change(
        "php-forgets-the-session", KRYPTONIM, "book($session['sessionId']);", "book('order-1');", "keeps-session-id"
    ),
]
