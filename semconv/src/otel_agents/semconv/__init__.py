"""GenAI telemetry as data: names, shapes and a conformance checker."""
