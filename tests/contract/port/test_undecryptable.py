"""Messages that a device cannot read when they come in."""

from server.whatsapp.incoming import Received
from tests.contract.port.following import Following
from tests.contract.port.world import World


async def test_what_cannot_be_decrypted_is_told_and_comes_once_more(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    person = await world.person(ada)
    await world.damage_next(number)
    message_id = await world.write(ada, number, "hello")
    await live.wait_for(Received, 2)
    placeholder, message = (event for event in live.events if isinstance(event, Received))
    assert (placeholder.id, placeholder.type) == (message_id, "undecryptable")
    assert (placeholder.body, placeholder.content) == ("", b"")
    assert person in (placeholder.sender, placeholder.sender_alternative)
    # It stands where the message will.
    assert (message.id, message.type, message.body) == (message_id, "text", "hello")
    assert (message.chat, message.sender) == (placeholder.chat, placeholder.sender)
    assert message.timestamp == placeholder.timestamp


async def test_what_the_device_does_not_get_is_told(
    world: World, live: Following, *, number: str, ada: str
) -> None:
    await world.person(ada)
    await world.withhold_next(number)
    withheld = await world.write(ada, number, "look once")
    plain = await world.write(ada, number, "and again")
    await live.wait_for(Received, 2)
    received = [(event.id, event.type) for event in live.events if isinstance(event, Received)]
    assert received == [(withheld, "undecryptable"), (plain, "text")]
