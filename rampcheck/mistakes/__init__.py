"""What a profile may be wrong about, seen by what answers a first request, with the cure of each."""
