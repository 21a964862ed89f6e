"""What other libraries recorded obeys the content settings too, before it is queued.

Each exporter of this distribution gets its own version of a span; the application's own processors
get what the library recorded. Our spans, and those that are no GenAI telemetry, stay as they are.
"""
