"""What counts as the same when a page's output is compared with what came."""

import pytest

from tests.docs.shape import json_differences, text_differences


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ('{"id": "01KAJ1Y2V3W4X5Y6Z7A8B9C0D2"}', '{"id": "01M7ZR46NWT8H68B4ME1XCBRG3"}'),
        ('{"at": 1795262400000, "ok": true}', '{"at": 1, "ok": true}'),
        ('{"error": null}', '{"error": "anything"}'),
        ('["message", "call"]', '["call", "message", "call"]'),
        ("[]", '[{"a": 1}]'),
    ],
)
def test_another_run_has_other_ids_times_and_numbers(shown: str, came: str) -> None:
    assert json_differences(shown, came) == []


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ('{"status": "sent"}', '{"status": "failed"}'),
        ('{"ok": true}', '{"ok": false}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ('{"a": 1, "b": 2}', '{"a": 1}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": true}'),
        ('[{"a": 1}]', "[]"),
        ('[{"a": 1}]', '[{"a": 2}, {"b": 2}]'),
        ('["message"]', '["call"]'),
        ("{}", "not found"),
    ],
)
def test_other_fields_types_and_words_are_a_difference(shown: str, came: str) -> None:
    assert len(json_differences(shown, came)) == 1


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("ID    LABEL", "ID                  LABEL\n"),
        ("sent as 3EB0CCC8FDE9AE23F4994E", "warning\nsent as 3EB0AA\n"),
        ("data: {...,...}", 'data: {"a": 1, "b": 2}'),
        ("a\n...\nb", "a\nx\ny\nb"),
        ("after 5 s", "after 17 s"),
    ],
)
def test_lines_may_differ_in_ids_numbers_and_space(shown: str, came: str) -> None:
    assert text_differences(shown, came) == []


@pytest.mark.parametrize(
    ("shown", "came"), [("a\nb", "b\na"), ("sent", "failed"), ("a b", "a b c"), ("5 s", "five s")]
)
def test_other_words_and_another_order_are_a_difference(shown: str, came: str) -> None:
    assert len(text_differences(shown, came)) == 1
