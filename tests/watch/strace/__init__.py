"""Tests of what is seen through strace."""
