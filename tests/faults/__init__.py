"""The fault simulator: the shipped links and journal on virtual time, network and disk."""
