"""What telemetry is emitted with: tracer, meter, logger, content policy."""
