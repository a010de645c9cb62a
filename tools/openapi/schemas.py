"""Messages as JSON Schemas, by the rules of `server/rpc/json_codec.py`.

What a caller sends and what the gateway answers follow different rules. An answer has every field, null
where it is unset. A request has what it needs, null means absent, and unknown fields are refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from wagate.v1 import rules_pb2

from server.rpc.event_names import EVENT_NAMES
from server.rpc.json_codec import enum_words, is_map
from server.store.webhooks import ALL_EVENTS
from tools.openapi.contract import Contract
from tools.rest_descriptor import ContractError

Schema = dict[str, Any]

_VALUE: Final = "google.protobuf.Value"
_STRUCT: Final = "google.protobuf.Struct"
_SCALARS: Final[Mapping[int, Schema]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {
        "type": "integer",
        "format": "int32",
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
    FieldDescriptor.TYPE_INT64: {
        "type": "integer",
        "format": "int64",
        "minimum": -(2**63),
        "maximum": 2**63 - 1,
    },
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
}
_FORMATS: Final[Mapping[int, Schema]] = {
    rules_pb2.FORMAT_ULID: {
        "pattern": "^[0-9A-HJKMNP-TV-Z]{26}$",
        "examples": ["01JD7M2VN5QK8W4Z3X6Y9ABCDE"],
    },
    rules_pb2.FORMAT_JID: {
        "pattern": r"^([1-9][0-9]{4,14}(:[0-9]{1,4})?@s\.whatsapp\.net"
        r"|[1-9][0-9]{3,19}(:[0-9]{1,4})?@lid|[0-9]{5,25}(-[0-9]{5,15})?@g\.us)$",
        "examples": ["628123456789@s.whatsapp.net"],
    },
}


class Schemas:
    """Collects the schemas that operations refer to."""

    def __init__(self, contract: Contract) -> None:
        """Describes messages of `contract`."""
        self._contract = contract
        self._found: dict[str, Schema] = {}
        self._answers: set[str] = set()

    @property
    def components(self) -> dict[str, Schema]:
        """What has been referred to, by name."""
        return dict(sorted(self._found.items()))

    def answer(self, message: Descriptor) -> Schema:
        """A reference to the schema of a message that the gateway answers."""
        if message.name in self._found and message.name not in self._answers:
            raise _both(message)
        if message.name not in self._found:
            self._answers.add(message.name)
            self._found[message.name] = {}  # for a message that holds itself
            self._found[message.name] = self._object(
                message,
                {field.json_name: self._answered(field) for field in message.fields},
                required=[field.json_name for field in message.fields],
            )
        return _reference(message.name)

    def request(self, message: Descriptor, without: Iterable[str] = ()) -> Schema:
        """A reference to the schema of a message that a caller sends.

        Args:
            message: its descriptor.
            without: names of fields that path or query give.
        """
        given = [field for field in message.fields if field.name not in set(without)]
        schema = self._object(
            message,
            {field.json_name: self._requested(field) for field in given},
            required=[field.json_name for field in given if is_required(field)],
        )
        schema["additionalProperties"] = False
        conditions = list(self._conditions(message, given))
        if conditions:
            schema["allOf"] = conditions
        if self._found.setdefault(message.name, schema) != schema:
            raise _both(message)
        return _reference(message.name)

    def parameter(self, field: FieldDescriptor) -> Schema:
        """The schema of a field that path or query give."""
        one = _ruled(rules(field), self._plain(field))
        return {"type": "array", "items": one} if field.is_repeated else one

    def prose(self, field: FieldDescriptor) -> str:
        """What the contract says of a field."""
        return self._contract.prose(field)

    def _object(self, message: Descriptor, properties: dict[str, Schema], required: list[str]) -> Schema:
        schema: Schema = {
            "type": "object",
            "description": self._contract.about(message),
            "properties": properties,
        }
        if required:
            schema["required"] = required
        return schema

    def _answered(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None and is_map(field):
            value = field.message_type.fields_by_name["value"]
            return self._described(field, {"type": "object", "additionalProperties": self._plain(value)})
        if field.message_type is not None and field.message_type.full_name == _STRUCT:
            return self._described(field, {"type": "object"})
        one = self.answer(field.message_type) if field.message_type is not None else self._plain(field)
        if field.is_repeated:
            one = {"type": "array", "items": one}
        elif field.has_presence:
            one = _nullable(one)
        return self._described(field, one)

    def _requested(self, field: FieldDescriptor) -> Schema:
        rule = rules(field)
        # What a message type does not use it ignores, so that rules hold for the others alone.
        schema = self._given(field, None if rule.required_for or rule.used_for else rule)
        return self._described(field, schema if is_required(field) else _nullable(schema))

    def _given(self, field: FieldDescriptor, rule: rules_pb2.FieldRules | None) -> Schema:
        """What a field may hold, by its type and, where one is given, by a rule."""
        if field.message_type is None:
            one = self._plain(field)
            if rule is not None:
                one = _ruled(rule, one)
        elif field.message_type.full_name == _VALUE:
            one = self._any_of(rule.json_types) if rule is not None else {}
        elif field.message_type.full_name == _STRUCT:
            one = self._struct(rule if rule is not None else rules_pb2.FieldRules())
        else:
            one = self.request(field.message_type)
        if not field.is_repeated:
            return one
        return {"type": "array", "items": one, **(_list_ruled(rule) if rule is not None else {})}

    def _conditions(self, message: Descriptor, given: Sequence[FieldDescriptor]) -> Iterable[Schema]:
        """What each word of the field `type` wants of the other fields."""
        needed: dict[str, list[FieldDescriptor]] = {}
        for field in given:
            for word in (*rules(field).required_for, *rules(field).used_for):
                needed.setdefault(word, []).append(field)
        kind = message.fields_by_name.get("type")
        known = enum_words(kind.enum_type) if kind is not None and kind.enum_type is not None else {}
        if unknown := sorted(needed.keys() - known.keys()):
            raise ContractError(f"{message.full_name}.type has no word {', '.join(unknown)}")
        for word, concerned in needed.items():
            required = [field for field in concerned if word in rules(field).required_for]
            properties = {}
            for field in concerned:
                schema = self._given(field, rules(field))
                properties[field.json_name] = schema if field in required else _nullable(schema)
            then: Schema = {"properties": properties}
            if required:
                then["required"] = [field.json_name for field in required]
            yield {"if": {"required": ["type"], "properties": {"type": {"const": word}}}, "then": then}

    def _any_of(self, names: Sequence[str]) -> Schema:
        if not names:
            return {}
        choices = [
            {"type": name} if name == "string" else self.request(self._contract.message(name))
            for name in names
        ]
        return choices[0] if len(choices) == 1 else {"oneOf": choices}

    def _struct(self, rule: rules_pb2.FieldRules) -> Schema:
        schema: Schema = {
            "type": "object",
            "additionalProperties": _ruled(rule, self._any_of(rule.json_types)),
        }
        if rule.key_pattern:
            schema["propertyNames"] = {"pattern": rule.key_pattern}
        if rule.max_items:
            schema["maxProperties"] = rule.max_items
        return schema

    def _plain(self, field: FieldDescriptor) -> Schema:
        if field.enum_type is not None:
            return {"type": "string", "enum": list(self.words(field.enum_type))}
        if field.type not in _SCALARS:
            raise ContractError(f"{field.full_name} has a type that the JSON of this API does not have")
        return dict(_SCALARS[field.type])

    def words(self, enum: EnumDescriptor) -> Iterable[str]:
        """An enum's words; the one that stands for "not given" is no word of the API."""
        return (word for word, number in enum_words(enum).items() if number)

    def _described(self, field: FieldDescriptor, schema: Schema) -> Schema:
        prose = [self._contract.prose(field)]
        if field.enum_type is not None:
            prose += [
                f"- `{word}`: {self._contract.prose(field.enum_type.values_by_number[number])}"
                for word, number in enum_words(field.enum_type).items()
                if number and word in schema.get("enum", (word,))
            ]
        text = prose[0] + "\n\n" + "\n".join(prose[1:]) if len(prose) > 1 else prose[0]
        return {**schema, "description": text} if text else schema


def rules(field: FieldDescriptor) -> rules_pb2.FieldRules:
    """What the contract says of a field's values."""
    return field.GetOptions().Extensions[rules_pb2.rules]


def is_required(field: FieldDescriptor) -> bool:
    """Whether the contract wants a field always."""
    behavior = field.GetOptions().Extensions[field_behavior_pb2.field_behavior]
    return field_behavior_pb2.REQUIRED in behavior


def _ruled(rule: rules_pb2.FieldRules, schema: Schema) -> Schema:
    if rule.min_length:
        schema["minLength"] = rule.min_length
    if rule.max_length:
        schema["maxLength"] = rule.max_length
    if rule.HasField("minimum"):
        schema["minimum"] = _number(rule.minimum)
    if rule.HasField("maximum"):
        schema["maximum"] = _number(rule.maximum)
    if rule.pattern:
        schema["pattern"] = rule.pattern
    schema.update(_FORMATS.get(rule.format, {}))
    if rule.event_names:
        schema["enum"] = [ALL_EVENTS, *sorted(EVENT_NAMES)]
    if rule.may_be_empty and "pattern" in schema:
        schema["pattern"] = f"^$|{schema['pattern']}"
    if rule.answers_only:
        schema["enum"] = [word for word in schema["enum"] if word not in rule.answers_only]
    return schema


def _list_ruled(rule: rules_pb2.FieldRules) -> Schema:
    schema: Schema = {}
    if rule.min_items:
        schema["minItems"] = rule.min_items
    if rule.max_items:
        schema["maxItems"] = rule.max_items
    if rule.unique:
        schema["uniqueItems"] = True
    return schema


def _nullable(schema: Schema) -> Schema:
    if not schema:
        return schema
    if "enum" in schema:
        return {**schema, "type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if "type" in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"oneOf": [*schema.get("oneOf", [schema]), {"type": "null"}]}


def _both(message: Descriptor) -> ContractError:
    return ContractError(
        f"{message.full_name} stands for two different things: give each a message of its own"
    )


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
