"""Tests of the diagnoses."""
