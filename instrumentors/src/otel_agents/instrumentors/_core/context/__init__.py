"""What flows inward through the OpenTelemetry context."""
