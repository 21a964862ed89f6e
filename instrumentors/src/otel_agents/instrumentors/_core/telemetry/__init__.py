"""By what an operation leaves: tracer, meter, logger, content policy."""
