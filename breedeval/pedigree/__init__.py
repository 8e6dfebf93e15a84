"""The pedigree: as read, checked, and frozen with parents before progeny."""
