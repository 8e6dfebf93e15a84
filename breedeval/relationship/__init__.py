"""What the pedigree implies: inbreeding, A and its inverse."""
