"""The kinds of messages that WhatsApp knows, by the fields of `waE2E.Message`.

A field that is named nowhere here is a message of a kind without a word of its own: it is kept, and shown as
"unknown". So is one that only a later release of the library will know.
"""

from typing import Final

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import FutureProofMessage, Message

KEYS: Final = frozenset(
    {
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "messageContextInfo",
    }
)
"""What may come beside any message."""
NOT_STORED: Final = KEYS | {
    # Changes to other messages.
    "protocolMessage",
    "editedMessage",
    "reactionMessage",
    "encReactionMessage",
    "pollUpdateMessage",
    "pollAddOptionMessage",
    "keepInChatMessage",
    "pinInChatMessage",
    "encEventResponseMessage",
    "secretEncryptedMessage",
    "scheduledCallEditMessage",
    "declinePaymentRequestMessage",
    "cancelPaymentRequestMessage",
    "splitPaymentUpdateMessage",
    # What devices tell each other, and no app shows.
    "stickerSyncRmrMessage",
    "groupRootKeyShare",
    "rootSecretDistributeMessage",
    "statusNotificationMessage",
    "statusStickerInteractionMessage",
    "statusLinkPreviewMetadata",
    "messageHistoryBundle",
    "messageHistoryNotice",
    "acp2SettingMessage",
}
"""Fields that carry no message of their own for the stored copy."""
TYPES: Final = {
    "conversation": "text",
    "extendedTextMessage": "text",
    # What a business asks in words with buttons under them, and what a person chose.
    "templateMessage": "text",
    "highlyStructuredMessage": "text",
    "buttonsMessage": "text",
    "listMessage": "text",
    "interactiveMessage": "text",
    "templateButtonReplyMessage": "text",
    "buttonsResponseMessage": "text",
    "listResponseMessage": "text",
    "interactiveResponseMessage": "text",
    "questionResponseMessage": "text",
    "richResponseMessage": "text",
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
    "locationMessage": "location",
    "liveLocationMessage": "location",
    "contactMessage": "contact",
    "contactsArrayMessage": "contact",
    "pollCreationMessage": "poll",
    "pollCreationMessageV2": "poll",
    "pollCreationMessageV3": "poll",
    "pollCreationMessageV5": "poll",
    "pollCreationMessageV6": "poll",
}
"""The API's message type by the field that is set."""
EDITABLE: Final = frozenset({"conversation", "extendedTextMessage"})
"""Plain texts, the kinds that can be edited."""
FORWARDABLE: Final = frozenset(
    {
        "conversation",
        "extendedTextMessage",
        "imageMessage",
        "videoMessage",
        "ptvMessage",
        "audioMessage",
        "documentMessage",
        "stickerMessage",
        "locationMessage",
        "contactMessage",
        "contactsArrayMessage",
        "groupInviteMessage",
        "pollCreationMessage",
        "pollCreationMessageV2",
        "pollCreationMessageV3",
    }
)
"""Kinds of which a copy means to its readers what the original meant to its own."""
VIEW_ONCE: Final = frozenset({"viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"})
"""Messages around a message that may be seen only once."""
PLAIN_WRAPPERS: Final = frozenset(
    {
        "deviceSentMessage",
        "ephemeralMessage",
        "documentWithCaptionMessage",
        "lottieStickerMessage",
        "groupMentionedMessage",
    }
)
"""Messages around a message that say nothing about what may become of it."""
WRAPPERS: Final = frozenset(
    {
        *PLAIN_WRAPPERS,
        "commentMessage",
        # Whatever else WhatsApp puts around messages: how they were meant, not what they say.
        *(
            field.name
            for field in Message.DESCRIPTOR.fields
            if field.message_type is FutureProofMessage.DESCRIPTOR and field.name not in NOT_STORED
        ),
    }
)
"""Everything that is around a message."""
