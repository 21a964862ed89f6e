"""Mistral's wire formats: chat, fill-in-the-middle, conversations, documents and audio.

The shapes are those of Mistral's API reference and of ``mistralai``. Chat is near OpenAI's, but an
event of a stream wraps its chunk in ``data``, and content may be a list of chunks.
"""
