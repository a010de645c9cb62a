"""What a person would read first in a message, whatever its kind."""

from typing import Any, Final

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import Message

PLACES: Final[dict[str, tuple[str, ...]]] = {
    "templateMessage": (
        "hydratedTemplate.hydratedContentText",
        "hydratedFourRowTemplate.hydratedContentText",
        "interactiveMessageTemplate.body.text",
        "hydratedTemplate.hydratedTitleText",
        "hydratedFourRowTemplate.hydratedTitleText",
    ),
    "highlyStructuredMessage": (
        "hydratedHsm.hydratedTemplate.hydratedContentText",
        "hydratedHsm.hydratedFourRowTemplate.hydratedContentText",
        "elementName",
    ),
    "buttonsMessage": ("contentText", "text", "footerText"),
    "listMessage": ("description", "title", "buttonText"),
    "interactiveMessage": ("body.text", "header.title", "header.subtitle", "footer.text"),
    "templateButtonReplyMessage": ("selectedDisplayText", "selectedID"),
    "buttonsResponseMessage": ("selectedDisplayText", "selectedButtonID"),
    "listResponseMessage": ("title", "description", "singleSelectReply.selectedRowID"),
    "interactiveResponseMessage": ("body.text", "nativeFlowResponseMessage.name"),
    "productMessage": ("product.title", "body", "product.description", "catalog.title"),
    "orderMessage": ("message", "orderTitle"),
    "sendPaymentMessage": ("noteMessage",),
    "requestPaymentMessage": ("noteMessage",),
    "invoiceMessage": ("note",),
    "paymentReminderMessage": ("description",),
    "splitPaymentMessage": ("description",),
    "groupInviteMessage": ("caption", "groupName"),
    "newsletterAdminInviteMessage": ("caption", "newsletterName"),
    "newsletterFollowerInviteMessageV2": ("caption", "newsletterName"),
    "eventMessage": ("name", "description"),
    "eventInviteMessage": ("caption", "eventTitle"),
    "stickerPackMessage": ("name", "caption"),
    "musicMessage": ("embeddedMusic.title", "songUri"),
    "locationMessage": ("name", "comment", "address"),
    "richResponseMessage": ("submessages.messageText",),
}
"""Where messages keep their words, the best first, where that is not one of the usual fields."""
_USUAL: Final = ("text", "caption", "name", "displayName", "fileName", "title")


def words_of(message: Message, kind: str) -> str:
    """The text of a message, or what stands for it: a caption, a question, a name; "" where there is none.

    Args:
        message: without anything around it.
        kind: the field of it that is the message.
    """
    value = getattr(message, kind)
    if isinstance(value, str):
        return value
    places = PLACES.get(kind, ()) or (name for name in _USUAL if name in value.DESCRIPTOR.fields_by_name)
    found = (_at(value, place) for place in places)
    return next((text for text in found if text), "")


def _at(value: Any, place: str) -> str:
    name, _, rest = place.partition(".")
    inner = getattr(value, name)
    if isinstance(inner, str):
        return inner
    if isinstance(inner, Message):
        # A note: a message in the message.
        return inner.conversation or inner.extendedTextMessage.text
    if rest and not hasattr(inner, "DESCRIPTOR"):
        return "\n".join(text for one in inner if (text := _at(one, rest)))
    return _at(inner, rest)
