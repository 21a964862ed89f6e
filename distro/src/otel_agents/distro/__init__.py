"""The OpenTelemetry distribution for AI agents: SDK, defaults, lifecycle and command line."""
