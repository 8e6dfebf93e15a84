"""Reading files: the only part that opens input."""
