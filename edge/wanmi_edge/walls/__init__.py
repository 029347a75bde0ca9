"""Walls: PCs behind displays that open the pages which this edge names."""
