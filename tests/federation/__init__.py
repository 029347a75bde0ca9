"""Links between real journals, in memory and over ZeroMQ."""
