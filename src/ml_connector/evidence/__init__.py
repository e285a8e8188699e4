"""Evidence: a folder that stands alone, and the check of one, without a store and without a secret."""
