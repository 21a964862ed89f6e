"""OpenAI's wire format: requests, responses, streams and usage as attributes and message parts.

Other providers and routers speak it too, so it belongs to no instrumentor.
"""
