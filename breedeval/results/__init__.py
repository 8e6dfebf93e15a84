"""The results file: its schema, writing, reading, provenance."""
