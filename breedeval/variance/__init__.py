"""Variance components: likelihood, its derivatives, and the way to its maximum."""
