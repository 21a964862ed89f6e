"""Code of the application that sees content."""
