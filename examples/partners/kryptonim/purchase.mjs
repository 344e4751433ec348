// A purchase with Kryptonim, as a partner's backend makes it: a starting point for your own. Node 18 or newer, no package.
//
// The environment says where, as whom and what, as `rampcheck certify` sets it. Yours will differ in `openWidget` (a redirect
// of the user's browser) and in `book` (your database).

import { createHmac } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const env = process.env;
const books = env.BOOKS ?? "purchases.log";
// After which statuses a session is asked for again, and after what pauses; what else is refused has to be mended first.
const retried = new Set([502, 503, 504]);
const pauses = [1, 2, 4];
// What is left of a session's 30 minutes when the user is sent to it.
const enoughMilliseconds = 5 * 60_000;

// Seconds, or what a test makes of them.
const wait = (seconds) => sleep(seconds * 1000 * Number(env.RAMPCHECK_TIME_SCALE ?? 1));

// What is bought, and by whom.
const sessionRequest = () => ({
  cryptoAmount: Number(env.RAMPCHECK_AMOUNT), // a number, and either this or fiatAmount, never both
  cryptoCurrency: env.RAMPCHECK_CURRENCY,
  network: env.RAMPCHECK_NETWORK,
  destinationAddress: env.RAMPCHECK_ADDRESS, // known to be the user's own
  fiatCurrency: env.RAMPCHECK_FIAT_CURRENCY,
  email: env.RAMPCHECK_USER_EMAIL,
  ipAddress: env.RAMPCHECK_CLIENT_IP, // the user's, from the request that your backend got
  metadata: { userId: env.RAMPCHECK_USER_ID },
  successUrl: "https://partner.example/bought",
  failureUrl: "https://partner.example/not-bought",
});

// JSON is written once: the bytes that are signed are those that are sent. Key and signature stand in these headers and
// nowhere else; the secret stands nowhere.
const post = (body) =>
  fetch(`${env.RAMPCHECK_BASE_URL}/v1/widget-sessions`, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-API-Key": env.KRYPTONIM_API_KEY,
      "X-Request-Signature": createHmac("sha256", env.KRYPTONIM_SIGNATURE_SECRET).update(body).digest("hex"),
    },
    body,
    signal: AbortSignal.timeout(30_000),
  });

async function createSession() {
  const body = Buffer.from(JSON.stringify(sessionRequest()), "utf8");
  for (let tries = 0; ; tries++) {
    const answer = await post(body);
    if (answer.ok) {
      const session = await answer.json();
      book(session);
      return session;
    }
    if (!retried.has(answer.status) || tries === pauses.length) {
      throw new Error(`no session: ${answer.status} ${await answer.text()}`);
    }
    await wait(pauses[tries]);
  }
}

// Keeps the session's id: it is the transaction's id later on.
const book = (session) => appendFileSync(books, `${session.sessionId} ${env.RAMPCHECK_USER_ID}\n`);

// Whether too little is left of a session to send the user to it.
const hasExpired = (session) => Date.parse(session.expiresAt) - Date.now() < enoughMilliseconds;

// Sends the user to the URL as it came; false where the widget says that the session has expired.
async function openWidget({ widgetUrl }) {
  const answer = await fetch(env.RAMPCHECK_WIDGET_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ widgetUrl }),
  });
  return answer.status !== 410;
}

try {
  let session = await createSession();
  if (hasExpired(session) || !(await openWidget(session))) {
    session = await createSession(); // a session that has expired is left, and another made, once
    if (!(await openWidget(session))) throw new Error("two sessions in a row have expired");
  }
  console.log(session.sessionId);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
