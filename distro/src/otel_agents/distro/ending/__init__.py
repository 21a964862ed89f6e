"""How a process ends, or is forked or frozen, and nothing is lost by it."""
