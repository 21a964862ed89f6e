"""Anthropic's Messages API as data: requests, answers, streams.

Read by what speaks it: its own SDK, LiteLLM, clouds that serve its models. Shapes are those of the API's reference, "Messages".
"""
