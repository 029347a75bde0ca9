"""Scenes: what displays show when something happens, and who holds which display and why."""
