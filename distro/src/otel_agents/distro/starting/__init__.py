"""Process start: the SDK with our defaults, the instrumentors, context propagation into threads."""
