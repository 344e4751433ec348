<?php
// A purchase with Proof, as a partner's backend makes it: a starting point for your own. PHP 8.1 or newer, with curl.
//
// The environment says where, as whom and what, as `rampcheck certify` sets it. Yours will differ in `openWidget` (your
// frontend), `book` (your database), and in who asks for the status: a job of yours, not the page that the user waits for.

declare(strict_types=1);

const TERMINAL = ['completed', 'failed', 'cancelled'];
// After which status the same body is sent again, and the pauses before. What else is refused has to be mended first.
const RETRIES = [502 => [1, 2, 4, 8], 500 => [1]];
const POLL_SECONDS = 7; // 5 to 10 are recommended

function env(string $name, string $otherwise = ''): string
{
    return getenv($name) === false ? $otherwise : getenv($name);
}

/** Seconds, or what a test makes of them. */
function wait(float $seconds): void
{
    usleep((int) ($seconds * 1e6 * (float) env('RAMPCHECK_TIME_SCALE', '1')));
}

/** Sends a request, and gives its status and its body; a body makes it a POST. */
function send(string $url, ?string $body, array $headers = []): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', ...$headers],
    ]);
    if ($body !== null) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, $body);
    }
    $answer = curl_exec($curl);
    if ($answer === false) {
        throw new RuntimeException(curl_error($curl));
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer];
}

/** Calls Proof. The token is the backend's secret: it stands here and nowhere else. */
function call(string $path, ?string $body = null): array
{
    return send(env('RAMPCHECK_BASE_URL') . $path, $body, ['Authorization: Bearer ' . env('PROOF_CLIENT_TOKEN')]);
}

/** What is bought, and by whom. There is no address: Proof knows where it goes. */
function sessionRequest(): array
{
    return [
        'partner_user_id' => env('RAMPCHECK_USER_ID'),
        'user_email' => env('RAMPCHECK_USER_EMAIL'),
        'currency' => env('RAMPCHECK_CURRENCY'),
        'network' => env('RAMPCHECK_NETWORK'),
        'amount' => env('RAMPCHECK_AMOUNT'), // a decimal string, never a number
        'client_ip' => env('RAMPCHECK_CLIENT_IP'), // the user's: of the request that your backend got
    ];
}

/** The session, as the very text that Proof sent. */
function createSession(): string
{
    $body = json_encode(sessionRequest(), JSON_THROW_ON_ERROR);
    $pauses = RETRIES;
    while (true) {
        [$status, $answer] = call('/widget/session', $body);
        if ($status === 200) {
            return $answer;
        }
        if (empty($pauses[$status])) {
            throw new RuntimeException("no session: $status $answer");
        }
        wait(array_shift($pauses[$status]));
    }
}

/** Hands every value on as it came: PHP would make [] of an empty object. A frontend calls proofWidget.run with them. */
function openWidget(string $session): void
{
    send(env('RAMPCHECK_WIDGET_URL'), $session);
}

/** Asks until the status can change no more, and books each one. */
function follow(string $id): string
{
    for ($polls = 0; $polls < 1000; $polls++) {
        wait(POLL_SECONDS);
        [$code, $answer] = call('/widget/transactions/' . rawurlencode($id));
        if ($code >= 500) {
            continue;
        }
        $status = json_decode($answer, true, flags: JSON_THROW_ON_ERROR)['status'];
        book($id, $status);
        if (in_array($status, TERMINAL, true)) {
            return $status;
        }
    }
    throw new RuntimeException("$id has come to no end");
}

/** Does once what a new status calls for; here it writes a line. */
function book(string $id, string $status): void
{
    $books = env('BOOKS', 'purchases.log');
    if (!in_array("$id $status", is_file($books) ? file($books, FILE_IGNORE_NEW_LINES) : [], true)) {
        file_put_contents($books, "$id $status\n", FILE_APPEND | LOCK_EX);
    }
}

$session = createSession();
$id = json_decode($session, true, flags: JSON_THROW_ON_ERROR)['merchant_transaction_id'];
book($id, 'created'); // saved before the user can pay
openWidget($session);
echo follow($id), "\n";
