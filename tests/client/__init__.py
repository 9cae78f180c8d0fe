"""Tests of socketlab connect."""
