"""Servers compared in one run, by the CPU time each spends per operation; see README.md here."""
