"""Henderson's mixed model equations: residual, penalty, product, explicit form."""
