"""Replacing attributes of libraries and of application classes, and restoring them."""
