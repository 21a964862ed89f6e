"""One request by OTLP: where to, with which exporter, and what became of it."""
