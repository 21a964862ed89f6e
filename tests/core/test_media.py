"""Media: never inline, only type, size and hash."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest

from otel_agents.instrumentors._core.encoding import media

DATA = bytes(range(256)) * 3
PLACEHOLDER: dict[str, Any] = {
    "type": "blob",
    "modality": "image",
    "mime_type": "image/png",
    "content": "",
    "otel_agents.bytes": len(DATA),
    "otel_agents.sha256": hashlib.sha256(DATA).hexdigest(),
}
TEXT = base64.b64encode(DATA).decode()
SAFE = base64.urlsafe_b64encode(DATA).decode()


@pytest.mark.parametrize("text", [TEXT, SAFE, TEXT.rstrip("="), base64.encodebytes(DATA).decode()])
def test_base64_is_hashed_decoded(text: str) -> None:
    for _ in range(2):  # the second time it is cached
        assert media.part_from_base64(text, "image/png", "image") == PLACEHOLDER


def test_bytes_and_data_urls_have_the_same_placeholder() -> None:
    assert media.part_from_bytes(DATA, "image/png", "image") == PLACEHOLDER
    for url in (f"data:image/png;base64,{TEXT}", f"DATA:image/png;x=1;BASE64,{TEXT}"):
        assert media.part_from_data_url(url, "image") == PLACEHOLDER
        assert media.part_from_url(url, "image") == PLACEHOLDER


def test_a_data_url_may_hold_text() -> None:
    assert media.part_from_url("data:text/plain,hello%20you,%20and%20you", "document") == {
        "type": "blob",
        "modality": "document",
        "mime_type": "text/plain",
        "content": "",
        **media.placeholder(b"hello you, and you"),
    }


def test_invalid_base64_is_hashed_as_text() -> None:
    part = media.part_from_base64("é!", "audio/wav", "audio")
    assert part["otel_agents.bytes"] == 3


@pytest.mark.parametrize(
    "url", ["https://u:p@h.example/a.png?sig=1#f", "gs://b/a", "s3://b/a", "data:,short", "a.png"]
)
def test_a_url_stays_as_it_is(url: str) -> None:
    assert media.part_from_url(url, "image") == {"type": "uri", "modality": "image", "uri": url}


def test_repeated_data_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"data:image/png;base64,{TEXT}AAAA"
    first = media.part_from_url(url, "image")
    first["otel_agents.bytes"] = "changed"
    monkeypatch.setattr(base64, "b64decode", None)
    again = media.part_from_url(url, "image")
    assert again["otel_agents.bytes"] == len(DATA) + 3


def test_text_and_bytes_of_the_same_hash_are_not_confused() -> None:
    text, data = "QUJD", b"QUJD"
    assert hash(text) == hash(data)
    assert media.part_from_base64(text, None, "image")["otel_agents.bytes"] == 3
    assert media.part_from_bytes(data, None, "image")["otel_agents.bytes"] == 4


def test_the_cache_is_bounded() -> None:
    for number in range(5000):
        media.part_from_base64(f"{number:08}", None, "image")
    assert len(vars(media)["_known"]) <= 1024
