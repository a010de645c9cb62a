"""The event monitor: what happens, filtered, held, and whole."""

import json

from tests.browser.console import Console
from tests.support.stack import Stack

NUMBER = "628110000001"
ADA = "628120000001"


def test_events_come_are_filtered_held_and_shown_whole(
    console: Console, stack: Stack, session: str, ada: str
) -> None:
    assert ada
    console.sign_in(place="events")
    lines = console.page.locator(".events li")
    stack.says(ADA, NUMBER, "first of the monitor")
    line = lines.filter(has_text="first of the monitor")
    line.wait_for()
    line.locator("summary").click()
    line.locator("pre").filter(has_text="schema").wait_for()
    whole = json.loads(line.locator("pre").inner_text())
    assert (whole["event"], whole["session"]) == ("message", session)
    assert whole["payload"]["body"] == "first of the monitor"

    console.page.get_by_label("Event", exact=True).select_option("message.status")
    line.wait_for(state="detached")
    console.page.get_by_label("Event", exact=True).select_option("message")
    line.wait_for()
    console.page.get_by_label("Holds the text").fill("second of")
    line.wait_for(state="detached")
    stack.says(ADA, NUMBER, "not looked for")
    stack.says(ADA, NUMBER, "Second of the monitor")
    lines.filter(has_text="Second of the monitor").wait_for()
    assert lines.count() == 1
    console.page.get_by_label("Session", exact=True).select_option(session)
    assert lines.count() == 1

    console.press("Pause")
    stack.says(ADA, NUMBER, "second of those behind the pause")
    console.page.get_by_text("wait behind the pause").wait_for()
    assert lines.count() == 1
    console.press("Go on")
    lines.filter(has_text="behind the pause").wait_for()
    assert lines.count() == 2


def test_what_happened_before_the_monitor_was_opened_is_there(
    console: Console, stack: Stack, ada: str
) -> None:
    assert ada
    console.sign_in()
    stack.says(ADA, NUMBER, "while somewhere else")
    console.go("Events")
    console.page.locator(".events li").filter(has_text="while somewhere else").wait_for()
