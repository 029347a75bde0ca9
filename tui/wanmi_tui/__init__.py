"""The technicians' terminal UI: a client of the nodes' HTTP API."""
