"""The way out: bounded queues, their threads, and one line when nobody answers."""
