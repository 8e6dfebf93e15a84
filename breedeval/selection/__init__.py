"""What breeders do with breeding values: ranking and indices."""
