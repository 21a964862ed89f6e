"""How an operation runs around a call: sync, async, generator, stream, dropped."""
