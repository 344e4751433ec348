"""Signing a run, and verifying who signed it; the libraries that sign are loaded by nothing else."""
