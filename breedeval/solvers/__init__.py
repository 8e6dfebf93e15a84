"""Solving symmetric positive (semi)definite systems, whatever they come from."""
