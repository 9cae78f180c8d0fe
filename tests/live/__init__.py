"""The live view of a bench in a terminal."""
