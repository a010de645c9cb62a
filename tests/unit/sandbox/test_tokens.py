import asyncio
import json
from pathlib import Path

import pytest

from sandbox import tokens
from tests.unit.sandbox.dictionary import installed_dictionary


def test_the_dictionary_has_the_shape_that_version_3_has() -> None:
    dictionary = installed_dictionary()
    assert len(dictionary.single) == 236
    assert dictionary.single[:4] == ["", "xmlstreamstart", "xmlstreamend", "s.whatsapp.net"]
    assert [len(page) for page in dictionary.double] == [256] * 4
    assert dictionary.double[0][:2] == ["read-self", "active"]


def test_a_cached_dictionary_is_read_from_its_file(tmp_path: Path) -> None:
    # Given a cache of this library's version that says something recognisable
    first = asyncio.run(tokens.load(tmp_path))
    (file,) = tmp_path.glob("tokens-*.json")
    kept = json.loads(file.read_text())
    kept["single"][1] = "from-the-cache"
    file.write_text(json.dumps(kept))
    # When it is loaded again
    again = asyncio.run(tokens.load(tmp_path))
    # Then nothing was read from the library
    assert first.single[1] == "xmlstreamstart"
    assert again.single[1] == "from-the-cache"


async def test_a_failure_of_the_reading_process_is_told(tmp_path: Path) -> None:
    with pytest.raises(tokens.DictionaryError, match="reading the token dictionary failed"):
        await tokens.load(tmp_path / "missing")


def test_a_library_without_a_dictionary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(tokens.DictionaryError, match="no token dictionary"):
        tokens.read_loaded(tmp_path / "other.so")
