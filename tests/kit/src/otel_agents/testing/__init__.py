"""Test tools for authors of instrumentors: a scripted model, and checks of the emitted telemetry.

`scripted_model` replaces a provider and needs only the standard library. `emission` has in-memory
providers and collects what they emit. `conformance` checks that against the conventions.
`instrumentation` instruments for one test. `plugin` offers all of it as pytest fixtures.
"""
