"""Delivers what is queued when a process exits, is terminated, forked or frozen."""
