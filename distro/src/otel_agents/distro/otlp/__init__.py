"""One OTLP request: its exporter, its transport and its outcome."""
