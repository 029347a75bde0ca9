"""Wanmi (万米): the small core of a federated, grid-based city management platform."""

__version__ = "0.1.0"
