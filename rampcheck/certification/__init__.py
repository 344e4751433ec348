"""A partner's integration, judged by what it does towards a sandbox that misbehaves step by step."""
