"""How a process begins: the SDK with our defaults, the instrumentors, the context into threads."""
