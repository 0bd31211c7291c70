"""The command line: one command a file, what they share of options, and what the terminal shows."""
