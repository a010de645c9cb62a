"""The Groups service."""

from wagate.v1 import groups_pb2 as pb

from server.chats.groups import Groups
from server.rpc.endpoint import Call


class GroupsServicer:
    """Translates; `server.chats` decides."""

    def __init__(self, groups: Groups) -> None:
        """Serves `groups`."""
        self._groups = groups

    async def JoinGroup(self, request: pb.JoinGroupRequest, call: Call) -> pb.JoinGroupResponse:
        """See protos/wagate/v1/groups.proto."""
        return pb.JoinGroupResponse(group_jid=str(await self._groups.join(call.session, request.invite)))
