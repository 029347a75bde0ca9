"""Patrol vehicles: where they are, where they have been, which fences they cross; and the node's clock against receivers."""
