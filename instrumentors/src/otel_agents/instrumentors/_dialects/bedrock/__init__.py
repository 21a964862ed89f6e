"""Amazon Bedrock's wire formats as data: the Converse API, and the models' own request bodies.

The shapes are those of the API reference, "Converse" and "InvokeModel", and of the user guide,
"Inference request parameters and response fields for foundation models".
"""

from .usage import usage_of

__all__ = ["usage_of"]
