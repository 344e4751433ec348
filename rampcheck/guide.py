"""What the help of the command line teaches: the commands in groups, and examples of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# In the order in which somebody meets them.
GROUPS: Mapping[str, Sequence[str]] = {
    "Judge a target": ("init", "run", "doctor", "replay", "judge", "serve", "clauses"),
    "Judge an integration": ("certify", "bind"),
    "Results": ("report", "compare", "history"),
    "Sign-off": ("keygen", "sign", "verify"),
    "Contracts": ("schema", "new", "lint", "freeze", "selftest"),
}

# Of each command, lines for a shell and what they do.
EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "run": (
        ("rampcheck run", "the embedded references"),
        ("rampcheck run --base-url https://sandbox.example", "with credentials from the environment"),
        ("rampcheck run sandbox.yaml -n 4", "with a profile, and four workers"),
        ("rampcheck run sandbox.yaml --clause 'NAME.auth.*'", "some clauses only"),
        ("rampcheck run sandbox.yaml --budget 100", "the hundred requests that find the most"),
        ("rampcheck run sandbox.yaml --baseline reports/before", "and what has changed since then"),
        ("rampcheck run sandbox.yaml --shard 2/4 --output part-2", "on the second of four machines"),
    ),
    "init": (
        ("rampcheck init", "asks"),
        ("rampcheck init --contract NAME --base-url https://sandbox.example sandbox.yaml", "asks only for the rest"),
        ("rampcheck init --base-url https://sandbox.example --from-response session.json", "with what a session tells"),
        ("rampcheck init --from-run reports/before more.yaml", "with what the gaps of a run ask for"),
    ),
    "doctor": (
        ("rampcheck doctor sandbox.yaml", "before the first run"),
        ("rampcheck doctor --base-url https://sandbox.example --contract NAME", "without a profile"),
        ("rampcheck doctor sandbox.yaml --json", "for a program"),
    ),
    "replay": (
        ("rampcheck replay reports/before 17", "exchange 17 of that run, once more"),
        ("rampcheck replay reports/before 17 --profile sandbox.yaml", "at the target of a profile"),
    ),
    "certify": (
        ("rampcheck certify --contract NAME -- python purchase.py", "by a command that makes one purchase"),
        ("rampcheck certify sandbox.yaml -- npm run purchase", "with what onboarding agreed on"),
        ("rampcheck certify --contract NAME --interactive", "by hand, step by step"),
        ("rampcheck certify --contract NAME --step works -- ./purchase.sh", "one step only"),
    ),
    "bind": (
        ("rampcheck bind reports/target reports/partner --output reports/both", "vendor and partner on one page"),
    ),
    "judge": (
        ("rampcheck judge traffic.har --profile sandbox.yaml", "what a browser or a proxy has recorded"),
        ("rampcheck judge reports/one reports/two --profile sandbox.yaml", "what two runs have seen, together"),
    ),
    "serve": (
        ("rampcheck serve", "a server that conforms"),
        ("rampcheck serve --list-defects", "what can be broken on purpose"),
        ("rampcheck serve --defect DEFECT --write-profile local.yaml", "one that does not, and its profile"),
    ),
    "clauses": (
        ("rampcheck clauses", "all that is promised"),
        ("rampcheck clauses 'NAME.auth.*'", "a section"),
        ("rampcheck clauses --side partner", "what the partner has to do"),
    ),
    "report": (
        ("rampcheck report reports/killed", "of a run that came to no end"),
        ("rampcheck report part-1 part-2 --output whole", "of the shards of one run"),
    ),
    "compare": (
        ("rampcheck compare reports/before reports/after", "on the terminal"),
        ("rampcheck compare reports/before reports/after --output changes", "as pages, too"),
    ),
    "history": (("rampcheck history reports/one reports/two reports/three", "clause by release"),),
    "keygen": (("rampcheck keygen me.pem", "me.pem stays with you, me.pem.pub goes to the other side"),),
    "sign": (
        (
            "rampcheck sign reports/final --key me.pem --as provider --name 'Jane Doe' --role 'Head of QA'",
            "the other side: --as partner",
        ),
    ),
    "verify": (
        ("rampcheck verify reports/final --trust provider=me.pem.pub --trust partner=them.pem.pub", "both sides"),
        ("rampcheck verify reports/final --trust them.pem.pub --rejudge", "and what comes out when it is judged again"),
    ),
    "schema": (("rampcheck schema profile", "what a profile may say, for an editor"),),
    "new": (("rampcheck new acme", "a pack in the new folder rampcheck-acme"),),
    "lint": (
        ("rampcheck lint", "all contracts that are known"),
        ("rampcheck lint rampcheck-acme", "a pack in a folder"),
    ),
    "freeze": (("rampcheck freeze --pack rampcheck-acme acme", "when this version is released"),),
    "selftest": (
        ("rampcheck selftest --quick", "minutes, for the daily habit"),
        ("rampcheck selftest --clause 'NAME.auth.*'", "the defects of some clauses"),
        ("rampcheck selftest --contract NAME --defect DEFECT", "one defect, beside the reference as it is"),
        ("rampcheck selftest --clause 'NAME.auth.*' --peer schemathesis", "and what schemathesis finds of them"),
    ),
}

COMPLETION = (
    ('eval "$(_RAMPCHECK_COMPLETE=bash_source rampcheck)"', "bash: in ~/.bashrc"),
    ('eval "$(_RAMPCHECK_COMPLETE=zsh_source rampcheck)"', "zsh: in ~/.zshrc"),
    ("_RAMPCHECK_COMPLETE=fish_source rampcheck | source", "fish: in config.fish"),
)
