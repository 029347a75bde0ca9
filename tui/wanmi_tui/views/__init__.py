"""Views: pages made from what is known of nodes. Pure."""
