"""Populations with known breeding values."""
