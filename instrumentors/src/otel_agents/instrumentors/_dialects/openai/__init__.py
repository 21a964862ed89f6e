"""OpenAI's wire format: requests, responses, streams and usage as attributes and message parts.

Other providers and routers use it too, so no instrumentor owns it.
"""
