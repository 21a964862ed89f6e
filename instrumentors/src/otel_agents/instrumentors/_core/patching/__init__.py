"""Applying the patches of an instrumentor to a framework, and undoing them."""
