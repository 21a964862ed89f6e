"""The way out: bounded queues, requests that receivers accept, and one line when nobody answers."""
