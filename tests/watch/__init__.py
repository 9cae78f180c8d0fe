"""Tests of socketlab watch."""
