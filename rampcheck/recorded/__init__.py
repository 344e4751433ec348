"""Traffic that was recorded elsewhere, judged by what holds for every exchange."""
