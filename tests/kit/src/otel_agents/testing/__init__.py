"""For tests of instrumentors: a scripted model, and what comes out of the instrumentation.

`scripted_model` stands in for a provider, and needs the standard library alone.
"""
