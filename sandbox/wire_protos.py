"""The protobufs of the wire, taken from neonize without loading its Go library.

Importing the package ``neonize`` would start a Go runtime in this process. Its generated protobuf modules
stand in a folder that is a root of its own, so they are imported from there.
"""

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

__all__ = [
    "ADVDeviceIdentity",
    "ADVEncryptionType",
    "ADVSignedDeviceIdentity",
    "ADVSignedDeviceIdentityHMAC",
    "AppStateSyncKey",
    "AppStateSyncKeyData",
    "AppStateSyncKeyFingerprint",
    "AppStateSyncKeyId",
    "AppStateSyncKeyShare",
    "CertChain",
    "ClientPayload",
    "Conversation",
    "HandshakeMessage",
    "HistorySync",
    "HistorySyncMsg",
    "HistorySyncNotification",
    "HistorySyncType",
    "KeyId",
    "Message",
    "MessageKey",
    "PhoneNumberToLIDMapping",
    "PollUpdate",
    "PollVoteMessage",
    "ProtocolMessage",
    "Pushname",
    "Reaction",
    "SyncActionData",
    "SyncActionMessageRange",
    "SyncActionValue",
    "SyncdIndex",
    "SyncdMutation",
    "SyncdPatch",
    "SyncdRecord",
    "SyncdValue",
    "UserReceipt",
    "WebMessageInfo",
]

if TYPE_CHECKING:
    from neonize.proto.waAdv.WAAdv_pb2 import (
        ADVDeviceIdentity,
        ADVEncryptionType,
        ADVSignedDeviceIdentity,
        ADVSignedDeviceIdentityHMAC,
    )
    from neonize.proto.waCert.WACert_pb2 import CertChain
    from neonize.proto.waCommon.WACommon_pb2 import MessageKey
    from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
        AppStateSyncKey,
        AppStateSyncKeyData,
        AppStateSyncKeyFingerprint,
        AppStateSyncKeyId,
        AppStateSyncKeyShare,
        HistorySyncNotification,
        HistorySyncType,
        Message,
        PollVoteMessage,
        ProtocolMessage,
    )
    from neonize.proto.waHistorySync.WAWebProtobufsHistorySync_pb2 import (
        Conversation,
        HistorySync,
        HistorySyncMsg,
        PhoneNumberToLIDMapping,
        Pushname,
    )
    from neonize.proto.waServerSync.WAServerSync_pb2 import (
        KeyId,
        SyncdIndex,
        SyncdMutation,
        SyncdPatch,
        SyncdRecord,
        SyncdValue,
    )
    from neonize.proto.waSyncAction.WAWebProtobufSyncAction_pb2 import (
        SyncActionData,
        SyncActionMessageRange,
        SyncActionValue,
    )
    from neonize.proto.waWa6.WAWebProtobufsWa6_pb2 import ClientPayload, HandshakeMessage
    from neonize.proto.waWeb.WAWebProtobufsWeb_pb2 import (
        PollUpdate,
        Reaction,
        UserReceipt,
        WebMessageInfo,
    )
else:
    _package = importlib.util.find_spec("neonize")
    if _package is None or _package.origin is None:
        raise ImportError("the sandbox needs the package neonize for its protobufs")
    _folder = str(Path(_package.origin).parent / "proto")
    if _folder not in sys.path:
        sys.path.append(_folder)
    _adv = importlib.import_module("waAdv.WAAdv_pb2")
    ADVDeviceIdentity = _adv.ADVDeviceIdentity
    ADVEncryptionType = _adv.ADVEncryptionType
    ADVSignedDeviceIdentity = _adv.ADVSignedDeviceIdentity
    ADVSignedDeviceIdentityHMAC = _adv.ADVSignedDeviceIdentityHMAC
    CertChain = importlib.import_module("waCert.WACert_pb2").CertChain
    _wa6 = importlib.import_module("waWa6.WAWebProtobufsWa6_pb2")
    ClientPayload = _wa6.ClientPayload
    HandshakeMessage = _wa6.HandshakeMessage
    _e2e = importlib.import_module("waE2E.WAWebProtobufsE2E_pb2")
    AppStateSyncKey = _e2e.AppStateSyncKey
    AppStateSyncKeyData = _e2e.AppStateSyncKeyData
    AppStateSyncKeyFingerprint = _e2e.AppStateSyncKeyFingerprint
    AppStateSyncKeyId = _e2e.AppStateSyncKeyId
    AppStateSyncKeyShare = _e2e.AppStateSyncKeyShare
    HistorySyncNotification = _e2e.HistorySyncNotification
    HistorySyncType = _e2e.HistorySyncType
    Message = _e2e.Message
    PollVoteMessage = _e2e.PollVoteMessage
    ProtocolMessage = _e2e.ProtocolMessage
    MessageKey = importlib.import_module("waCommon.WACommon_pb2").MessageKey
    _history = importlib.import_module("waHistorySync.WAWebProtobufsHistorySync_pb2")
    Conversation = _history.Conversation
    HistorySync = _history.HistorySync
    HistorySyncMsg = _history.HistorySyncMsg
    PhoneNumberToLIDMapping = _history.PhoneNumberToLIDMapping
    Pushname = _history.Pushname
    _web = importlib.import_module("waWeb.WAWebProtobufsWeb_pb2")
    PollUpdate = _web.PollUpdate
    Reaction = _web.Reaction
    UserReceipt = _web.UserReceipt
    WebMessageInfo = _web.WebMessageInfo
    _sync = importlib.import_module("waServerSync.WAServerSync_pb2")
    KeyId = _sync.KeyId
    SyncdIndex = _sync.SyncdIndex
    SyncdMutation = _sync.SyncdMutation
    SyncdPatch = _sync.SyncdPatch
    SyncdRecord = _sync.SyncdRecord
    SyncdValue = _sync.SyncdValue
    _action = importlib.import_module("waSyncAction.WAWebProtobufSyncAction_pb2")
    SyncActionData = _action.SyncActionData
    SyncActionMessageRange = _action.SyncActionMessageRange
    SyncActionValue = _action.SyncActionValue
