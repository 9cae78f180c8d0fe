"""Servers as textbooks and documentations have them, with the faults that come of it."""
