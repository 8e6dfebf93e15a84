"""What the user's formula, variances and records mean, in integers and floats."""
