"""Terminals that nobody knows yet: they ask at the broker, people decide at the district."""
