"""Anthropic's Messages API as data: requests, responses, streams.

Anthropic's SDK, LiteLLM and the clouds that serve Anthropic's models use it. The shapes are those
of the API reference, "Messages".
"""
