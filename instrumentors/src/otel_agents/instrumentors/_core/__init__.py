"""What every instrumentor shares; nothing here knows a framework."""
