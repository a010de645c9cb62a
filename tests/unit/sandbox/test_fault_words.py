from sandbox.fault_words import FIELD_WORDS, WORDS, catalogue
from sandbox.faults import KINDS


def test_every_fault_and_field_has_its_words_and_no_word_is_left_over() -> None:
    assert set(WORDS) == set(KINDS)
    assert set(FIELD_WORDS) == {name for fields in KINDS.values() for name in fields}


def test_a_fault_is_explained_in_one_sentence() -> None:
    for kind, words in WORDS.items():
        assert words.does.endswith("."), kind
        assert ". " not in words.does, kind


def test_a_field_is_offered_with_all_that_is_known_of_it() -> None:
    by_kind = {offered["kind"]: offered for offered in catalogue()}
    assert by_kind["stream_error"]["fields"] == [
        {
            "name": "code",
            "label": "Code",
            "types": ["integer", "string"],
            "default": 503,
            "choices": [401, 503, 515, "replaced"],
            "minimum": None,
        }
    ]
