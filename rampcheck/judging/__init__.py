"""What is made of an exchange: findings, evidence, verdicts."""
