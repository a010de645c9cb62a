"""The contract as descriptors, with the prose that stands beside them in the protos."""

import re
from collections.abc import Iterator
from typing import Final

from google.protobuf.descriptor import (
    Descriptor,
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    ServiceDescriptor,
)
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool

Element = (
    Descriptor | EnumDescriptor | EnumValueDescriptor | FieldDescriptor | MethodDescriptor | ServiceDescriptor
)
"""What a comment may stand on."""

_GRPC_AND_REST: Final = re.compile(r"\b([A-Z_]+) \(REST: ([^)]+)\)")
"""How comments name an outcome for both kinds of callers: NOT_FOUND (REST: 404)."""
_ALSO_GRPC: Final = re.compile(r" \(gRPC: ([A-Z_]+)\)")
"""How they name one that REST callers have no word for."""
_HEADER: Final = re.compile(r"\b([Hh]eader) \(gRPC: metadata\)")
_BEFORE_OTHERS: Final = ("Sessions", "Messages", "Chats", "Groups", "Events", "Realtime", "Webhooks")
_SERVICE, _MESSAGE, _ENUM = 6, 4, 5
"""Numbers of the fields of FileDescriptorProto, which paths of source locations begin with."""


class Contract:
    """Services, messages and enums of one package."""

    def __init__(self, compiled: FileDescriptorSet, package: str, *, for_rest: bool = True) -> None:
        """Reads the protos of `package`.

        Args:
            compiled: with all imports and with source locations, which hold the comments.
            package: its full name.
            for_rest: whether comments are told as REST callers read them, or as gRPC callers do.
        """
        told = _for_rest if for_rest else _for_grpc
        self._pool = DescriptorPool()
        self._prose: dict[str, str] = {}
        for file in compiled.file:
            self._pool.Add(file)
            self._prose.update((name, told(comment)) for name, comment in _comments(file))
        own = sorted(file.name for file in compiled.file if file.package == package)
        self._files: list[FileDescriptor] = [self._pool.FindFileByName(name) for name in own]
        self._package = package

    def services(self) -> Iterator[ServiceDescriptor]:
        """Every service, as somebody new meets them; further ones behind, by their files."""
        found = (service for file in self._files for service in file.services_by_name.values())
        yield from sorted(found, key=_place)

    def message(self, name: str) -> Descriptor:
        """The message of that name in this package."""
        return self._pool.FindMessageTypeByName(f"{self._package}.{name}")

    def messages(self) -> Iterator[Descriptor]:
        """Every message that stands for itself, by name."""
        found = (message for file in self._files for message in file.message_types_by_name.values())
        yield from sorted(found, key=lambda message: message.name)

    def enums(self) -> Iterator[EnumDescriptor]:
        """Every enum, by name."""
        found = (enum for file in self._files for enum in file.enum_types_by_name.values())
        yield from sorted(found, key=lambda enum: enum.name)

    def enum(self, full_name: str) -> EnumDescriptor:
        """The enum of that full name."""
        return self._pool.FindEnumTypeByName(full_name)

    def prose(self, element: Element) -> str:
        """The comment on an element; "" where there is none."""
        return self._prose.get(_name(element), "")

    def about(self, element: Descriptor | EnumDescriptor | ServiceDescriptor) -> str:
        """The same without its own name before it: "A page.", not "ListChatsResponse is a page."."""
        prose = self.prose(element)
        told = prose.removeprefix(f"{element.name} ")
        if told == prose:
            return prose
        told = told.removeprefix("is ")
        return told[:1].upper() + told[1:]


def _place(service: ServiceDescriptor) -> int:
    known = service.name in _BEFORE_OTHERS
    return _BEFORE_OTHERS.index(service.name) if known else len(_BEFORE_OTHERS)


def _name(element: Element) -> str:
    if isinstance(element, EnumValueDescriptor):
        # Values live beside their enum, not in it; their own full name is no attribute.
        return f"{element.type.full_name}.{element.name}"
    return str(element.full_name)


def _comments(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    names = dict(_paths(file))
    for location in file.source_code_info.location:
        name = names.get(tuple(location.path))
        if name is not None and location.leading_comments:
            yield name, _paragraphs(location.leading_comments)


def _paragraphs(comment: str) -> str:
    """The lines of a comment joined to paragraphs."""
    paragraphs = re.split(r"\n\s*\n", comment.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _for_rest(comment: str) -> str:
    """Of the two names of an outcome the REST one."""
    return _GRPC_AND_REST.sub(r"\2", _ALSO_GRPC.sub("", _HEADER.sub(r"\1", comment)))


def _for_grpc(comment: str) -> str:
    """Of the two names of an outcome the gRPC one."""
    return _GRPC_AND_REST.sub(r"\1", _ALSO_GRPC.sub(r" with \1", _HEADER.sub("metadata", comment)))


def _paths(file: FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    """The source path of everything that a comment may stand on, with its name."""
    for index, service in enumerate(file.service):
        yield from _of_service((_SERVICE, index), file.package, service)
    for index, message in enumerate(file.message_type):
        yield from _of_message((_MESSAGE, index), file.package, message)
    for index, enum in enumerate(file.enum_type):
        yield from _of_enum((_ENUM, index), file.package, enum)


def _of_service(
    path: tuple[int, ...], scope: str, service: ServiceDescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{scope}.{service.name}"
    yield path, name
    for index, method in enumerate(service.method):
        yield (*path, 2, index), f"{name}.{method.name}"


def _of_message(
    path: tuple[int, ...], scope: str, message: DescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{scope}.{message.name}"
    yield path, name
    for index, field in enumerate(message.field):
        yield (*path, 2, index), f"{name}.{field.name}"
    for index, nested in enumerate(message.nested_type):
        yield from _of_message((*path, 3, index), name, nested)
    for index, enum in enumerate(message.enum_type):
        yield from _of_enum((*path, 4, index), name, enum)


def _of_enum(
    path: tuple[int, ...], scope: str, enum: EnumDescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{scope}.{enum.name}"
    yield path, name
    for index, value in enumerate(enum.value):
        yield (*path, 2, index), f"{name}.{value.name}"
