"""What GenAI telemetry looks like: names, shapes and the checker, as data."""
