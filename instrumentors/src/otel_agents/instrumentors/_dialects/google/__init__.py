"""Google's Gemini API and Vertex AI as data: requests, responses, streams and usage.

The shapes are those of the API reference, "GenerateContent": the objects of Google's SDK, whose
fields are in snake case, and JSON, whose fields are in camel case.
"""

from .usage import usage_of

__all__ = ["usage_of"]
