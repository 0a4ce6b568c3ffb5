"""Keyed documents: what is kept under a namespace and a key, and found again."""
