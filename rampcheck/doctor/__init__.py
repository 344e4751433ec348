"""What a run with a profile would trip over, looked at in a few requests, with the cure of each."""
