"""Tie-out: both sides counted and summed, and every difference told record by record."""
