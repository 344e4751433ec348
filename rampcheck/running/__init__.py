"""A run: its scenarios, its life, its end."""
