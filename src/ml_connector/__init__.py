"""Joins IFS Cloud to Airbase."""
