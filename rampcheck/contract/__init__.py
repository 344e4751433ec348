"""What is promised, and who is asked."""
