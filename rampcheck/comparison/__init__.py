"""Saved runs, held against each other: what two of them differ in, and what many of them say of each clause."""
