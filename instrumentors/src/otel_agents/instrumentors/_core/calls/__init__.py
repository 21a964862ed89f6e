"""How an operation is run around a call: sync, async, generator, stream, dropped."""
