"""Any value as JSON within a budget; no OpenTelemetry in it."""
