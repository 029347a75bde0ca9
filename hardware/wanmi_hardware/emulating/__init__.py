"""Devices that are not there: for the demo, for trying a node out, for practising an outage. Never enabled by itself."""
