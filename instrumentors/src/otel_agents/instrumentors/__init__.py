"""OpenTelemetry instrumentors for AI agents: one subpackage per framework or model SDK."""
