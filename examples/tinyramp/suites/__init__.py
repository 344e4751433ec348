"""What is checked of a target, one package a contract."""
