// A backend that buys with Proof, in Express: a route for your frontend, one for webhooks. A starting point for your own.
//
// `npm install`, then `node purchase.mjs` is the test command of `rampcheck certify`: it starts the app and buys once, as a
// user's browser would. Yours will differ in `book` (a database), and in who the user is (your login says it).

import { appendFileSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import express from "express";

const env = process.env;
const books = env.BOOKS ?? "purchases.log";
const terminal = new Set(["completed", "failed", "cancelled"]);
// After which status the same body is sent again, and the pauses before. Whatever else is refused has to be mended first.
const retries = { 502: [1, 2, 4, 8], 500: [1] };
const pollSeconds = 7; // 5 to 10 are recommended
const followed = new Map(); // what goes on in the background, by transaction; a job queue in earnest

// Seconds, or what a test makes of them.
const wait = (seconds) => sleep(seconds * 1000 * Number(env.RAMPCHECK_TIME_SCALE ?? 1));

// The token is the backend's secret: it stands here and nowhere else.
const call = (path, options = {}) =>
  fetch(env.RAMPCHECK_BASE_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${env.PROOF_CLIENT_TOKEN}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(30_000),
  });

async function createSession(asked) {
  const body = JSON.stringify(asked);
  const pauses = structuredClone(retries);
  for (;;) {
    const answer = await call("/widget/session", { method: "POST", body });
    if (answer.ok) return answer.json();
    const pause = pauses[answer.status]?.shift();
    if (pause === undefined) throw new Error(`no session: ${answer.status}, ${await answer.text()}`);
    await wait(pause);
  }
}

// Asks until the status can change no more; webhooks may be lost, and only make it quicker.
async function follow(id) {
  for (let polls = 0; polls < 1000; polls++) {
    await wait(pollSeconds);
    if (terminal.has(await ask(id))) return;
  }
}

// The status as Proof itself tells it, which is booked; nothing where Proof fails.
async function ask(id) {
  const answer = await call(`/widget/transactions/${encodeURIComponent(id)}`);
  if (answer.status >= 500) return undefined;
  if (!answer.ok) throw new Error(`no status of ${id}: ${answer.status}`);
  const { status } = await answer.json();
  book(id, status);
  return status;
}

// Does once what a new status calls for, however often it is told; here it writes a line.
function book(id, status) {
  appendFileSync(books, "");
  if (!readFileSync(books, "utf8").split("\n").includes(`${id} ${status}`)) appendFileSync(books, `${id} ${status}\n`);
}

const app = express();
app.set("trust proxy", "loopback"); // your proxies: request.ip is then the user's address, not theirs

// The frontend asks for a session, and calls proofWidget.run with every value of the answer, as it is.
app.post("/purchases", express.json(), async ({ body, ip }, response) => {
  const { user, email, currency, network, amount } = body;
  const asked = { partner_user_id: user, user_email: email, currency, network, amount, client_ip: ip };
  const session = await createSession(asked); // there is no address: Proof knows where it goes
  const id = session.merchant_transaction_id;
  book(id, "created"); // saved before the user can pay
  followed.set(id, follow(id));
  response.json(session);
});

const webhookUrl = new URL(env.RAMPCHECK_WEBHOOK_URL);
// A webhook is answered at once, a duplicate like the first. It is not signed, so Proof is asked, after the answer.
app.post(webhookUrl.pathname, express.json(), async ({ body }, response) => {
  const id = body?.merchant_transaction_id;
  if (typeof id !== "string") return void response.sendStatus(400);
  response.sendStatus(204);
  await ask(id).catch((error) => console.error(`webhook: ${error.message}`));
});

app.use((error, request, response, next) => {
  if (response.headersSent) return next(error);
  response.status(error.status ?? 502).json({ error: error.message });
});

const server = app.listen(Number(webhookUrl.port), webhookUrl.hostname);
try {
  const post = (url, body, headers = {}) =>
    fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
  const bought = { user: env.RAMPCHECK_USER_ID, email: env.RAMPCHECK_USER_EMAIL, currency: env.RAMPCHECK_CURRENCY };
  const answer = await post(
    `${webhookUrl.origin}/purchases`,
    { ...bought, network: env.RAMPCHECK_NETWORK, amount: env.RAMPCHECK_AMOUNT },
    { "X-Forwarded-For": env.RAMPCHECK_CLIENT_IP },
  );
  if (!answer.ok) throw new Error(await answer.text());
  const session = await answer.json();
  await post(env.RAMPCHECK_WIDGET_URL, session); // what the frontend does
  await followed.get(session.merchant_transaction_id);
  await wait(3); // a backend goes on listening; a webhook may still be under way
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  server.closeAllConnections();
  server.close();
}
