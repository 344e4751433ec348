"""What a partner's integration has to do, judged by all that it did towards a sandbox."""

from .following import keeps_id, polls, webhook_answers, webhook_idempotent
from .retries import no_retry_4xx, retries_500_once, retries_502
from .session import amount_string, backend_only, client_ip, no_address, token_placement, verbatim

RULES = (
    client_ip,
    no_address,
    amount_string,
    token_placement,
    backend_only,
    verbatim,
    keeps_id,
    retries_502,
    retries_500_once,
    no_retry_4xx,
    polls,
    webhook_answers,
    webhook_idempotent,
)
