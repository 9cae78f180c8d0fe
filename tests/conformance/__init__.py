"""Tests of the checker, without a server where none is needed."""
