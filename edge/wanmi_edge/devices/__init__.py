"""Devices of an edge: who they are, how they are, what they say, what is wrong with them."""
