"""For tests of instrumentors: a scripted model, and checks of what comes out of the instrumentation.

`scripted_model` stands in for a provider, and needs the standard library alone. `emission` has
providers in memory and what came out of them, `conformance` holds it against the conventions,
`instrumentation` has instrumentors on for one test, and `plugin` is all of it as fixtures of pytest.
"""
