"""Wire formats that several libraries share, converted to the GenAI conventions."""
