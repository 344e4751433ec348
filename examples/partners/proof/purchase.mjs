// A purchase with Proof, as a partner's backend makes it: a starting point for your own. Node 18 or newer, no package.
//
// Where, as whom and what stands in the environment, as `rampcheck certify` sets it. Yours will differ in `openWidget` (a
// frontend), `book` (a database), and in that one process serves all users.

import { appendFileSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const env = process.env;
const books = env.BOOKS ?? "purchases.log";
const terminal = new Set(["completed", "failed", "cancelled"]);
// After which status the same body is sent again, and the pauses before. Whatever else is refused has to be mended first.
const retries = { 502: [1, 2, 4, 8], 500: [1] };
const pollSeconds = 7; // 5 to 10 are recommended

// Seconds, or what a test makes of them.
const wait = (seconds) => sleep(seconds * 1000 * Number(env.RAMPCHECK_TIME_SCALE ?? 1));

// The token is the backend's secret: it stands here and nowhere else.
const call = (path, options = {}) =>
  fetch(env.RAMPCHECK_BASE_URL + path, {
    ...options,
    headers: { Authorization: `Bearer ${env.PROOF_CLIENT_TOKEN}`, "Content-Type": "application/json" },
    signal: AbortSignal.timeout(30_000),
  });

// What is bought, and by whom. There is no address: Proof knows where it goes.
const sessionRequest = () => ({
  partner_user_id: env.RAMPCHECK_USER_ID,
  user_email: env.RAMPCHECK_USER_EMAIL,
  currency: env.RAMPCHECK_CURRENCY,
  network: env.RAMPCHECK_NETWORK,
  amount: env.RAMPCHECK_AMOUNT, // a decimal string, never a number
  client_ip: env.RAMPCHECK_CLIENT_IP, // the user's, from the request that your backend got
});

async function createSession() {
  const body = JSON.stringify(sessionRequest());
  const pauses = structuredClone(retries);
  for (;;) {
    const answer = await call("/widget/session", { method: "POST", body });
    if (answer.ok) return answer.json();
    const pause = pauses[answer.status]?.shift();
    if (pause === undefined) {
      const request = answer.headers.get("X-Request-Id");
      throw new Error(`no session: ${answer.status}, request ${request}: ${await answer.text()}`);
    }
    await wait(pause);
  }
}

// Hands every value on as it came; a frontend calls proofWidget.run with them.
const openWidget = (session) =>
  fetch(env.RAMPCHECK_WIDGET_URL, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(session),
  });

// Asks until the status can change no more; webhooks may be lost, and only make it quicker.
async function follow(id) {
  for (let polls = 0; polls < 1000; polls++) {
    await wait(pollSeconds);
    const status = await ask(id);
    if (terminal.has(status)) return status;
  }
  throw new Error(`${id} has come to no end`);
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

// Answers a webhook at once, a duplicate like the first. It is not signed, so Proof is asked, after the answer.
const webhooks = createServer(async (request, response) => {
  let body = "";
  for await (const chunk of request.setEncoding("utf8")) body += chunk;
  try {
    const { merchant_transaction_id: id } = JSON.parse(body);
    if (typeof id !== "string") throw new TypeError("without a transaction");
    response.writeHead(204).end();
    await ask(id);
  } catch (error) {
    console.error(`webhook: ${error.message}`);
    if (!response.headersSent) response.writeHead(400).end();
  }
});

const { hostname, port } = new URL(env.RAMPCHECK_WEBHOOK_URL);
webhooks.listen(Number(port), hostname);
try {
  const session = await createSession();
  book(session.merchant_transaction_id, "created"); // saved before the user can pay
  await openWidget(session);
  console.log(await follow(session.merchant_transaction_id));
  await wait(3); // a backend goes on listening; a webhook may still be under way
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  webhooks.closeAllConnections();
  webhooks.close();
}
