<?php
// A purchase with Kryptonim, as a partner's backend makes it: a starting point for your own. PHP 8.1 or newer, with curl.
//
// The environment says where, as whom and what, as `rampcheck certify` sets it. Yours will differ in `openWidget` (a redirect
// of the user's browser) and in `book` (your database).

declare(strict_types=1);

// After which statuses a session is asked for again, and after what pauses; what else is refused has to be mended first.
const RETRIED = [502, 503, 504];
const PAUSES = [1, 2, 4];
const ENOUGH_SECONDS = 5 * 60; // what is left of a session's 30 minutes when the user is sent to it

function env(string $name, string $otherwise = ''): string
{
    return getenv($name) === false ? $otherwise : getenv($name);
}

/** Seconds, or what a test makes of them. */
function wait(float $seconds): void
{
    usleep((int) ($seconds * 1e6 * (float) env('RAMPCHECK_TIME_SCALE', '1')));
}

/** Posts JSON, and gives the status and the body of the answer. */
function post(string $url, string $body, array $headers = []): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HTTPHEADER => ['Content-Type: application/json', ...$headers],
        CURLOPT_POSTFIELDS => $body,
    ]);
    $answer = curl_exec($curl);
    if ($answer === false) {
        throw new RuntimeException(curl_error($curl));
    }
    return [curl_getinfo($curl, CURLINFO_RESPONSE_CODE), $answer];
}

/** What is bought, and by whom. */
function sessionRequest(): array
{
    return [
        'cryptoAmount' => (float) env('RAMPCHECK_AMOUNT'), // a number, and either this or fiatAmount, never both
        'cryptoCurrency' => env('RAMPCHECK_CURRENCY'),
        'network' => env('RAMPCHECK_NETWORK'),
        'destinationAddress' => env('RAMPCHECK_ADDRESS'), // known to be the user's own
        'fiatCurrency' => env('RAMPCHECK_FIAT_CURRENCY'),
        'email' => env('RAMPCHECK_USER_EMAIL'),
        'ipAddress' => env('RAMPCHECK_CLIENT_IP'), // the user's: of the request that your backend got
        'metadata' => ['userId' => env('RAMPCHECK_USER_ID')],
        'successUrl' => 'https://partner.example/bought',
        'failureUrl' => 'https://partner.example/not-bought',
    ];
}

/** Key and signature stand in these headers and nowhere else; the secret stands nowhere. */
function signed(string $body): array
{
    return [
        'X-API-Key: ' . env('KRYPTONIM_API_KEY'),
        'X-Request-Signature: ' . hash_hmac('sha256', $body, env('KRYPTONIM_SIGNATURE_SECRET')),
    ];
}

function createSession(): array
{
    // JSON is written once: the bytes that are signed are those that are sent.
    $body = json_encode(sessionRequest(), JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    for ($tries = 0;; $tries++) {
        [$status, $answer] = post(env('RAMPCHECK_BASE_URL') . '/v1/widget-sessions', $body, signed($body));
        if ($status === 200) {
            $session = json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
            book($session['sessionId']);
            return $session;
        }
        if (!in_array($status, RETRIED, true) || $tries === count(PAUSES)) {
            throw new RuntimeException("no session: $status $answer");
        }
        wait(PAUSES[$tries]);
    }
}

/** Keeps the session's id: it is the transaction's id later on. */
function book(string $id): void
{
    file_put_contents(env('BOOKS', 'purchases.log'), $id . ' ' . env('RAMPCHECK_USER_ID') . "\n", FILE_APPEND | LOCK_EX);
}

/** Whether too little is left of a session to send the user to it. */
function hasExpired(array $session): bool
{
    return strtotime($session['expiresAt']) - time() < ENOUGH_SECONDS;
}

/** Sends the user to the URL as it came; false where the widget says that the session has expired. */
function openWidget(array $session): bool
{
    $values = json_encode(['widgetUrl' => $session['widgetUrl']], JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES);
    return post(env('RAMPCHECK_WIDGET_URL'), $values)[0] !== 410;
}

$session = createSession();
if (hasExpired($session) || !openWidget($session)) {
    $session = createSession(); // a session that has expired is left, and another made, once
    if (!openWidget($session)) {
        throw new RuntimeException('two sessions in a row have expired');
    }
}
echo $session['sessionId'], "\n";
