"""The REST API's JSON, both ways, driven by the descriptors of the contract.

protobuf's own JSON would print 64-bit numbers as strings, leave out what is unset and accept unknown
fields. The documented API wants numbers, nulls and refusals, so the mapping is this:

- every field is printed, under its lowerCamelCase name; an unset `optional` field is null;
- an enum is its value's name without the enum's prefix, in lower case (SESSION_STATUS_WORKING: "working");
- on input null means absent, unless the contract says of a field that it means the empty text;
- a map and a Struct are objects, and every field that does not fit is named.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, MutableSequence, Sequence
from functools import cache
from typing import Any, Final, NoReturn, cast

from google.protobuf import json_format, struct_pb2
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from wagate.v1 import rules_pb2

from server.errors import Code, WagateError, invalid_fields

_INTEGER_BITS: Final = {
    FieldDescriptor.TYPE_INT32: 31,
    FieldDescriptor.TYPE_INT64: 63,
}
_VALUE: Final = struct_pb2.Value.DESCRIPTOR.full_name
_STRUCT: Final = struct_pb2.Struct.DESCRIPTOR.full_name
PROBLEMS: Final = 20
"""Fields that one refusal names, at most: the answer must not grow with what is wrong."""
NAME_LENGTH: Final = 100
"""Characters of an unknown field's name that a refusal repeats."""


def encode(message: Message) -> bytes:
    """The JSON text of a message."""
    return json.dumps(_to_json(message), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def decode(text: bytes, message: Message, *, without: frozenset[str] = frozenset()) -> None:
    """Reads a JSON object into a message.

    Args:
        text: the body; empty is an empty object.
        message: what it is merged into.
        without: names of fields that the body must not set, because the path does.

    Raises:
        WagateError: VALIDATION_ERROR; `details` names each field that does not fit, up to PROBLEMS.
    """
    value = _parse(text) if text.strip() else {}
    if not isinstance(value, dict):
        raise WagateError(Code.VALIDATION_ERROR, "the body must be a JSON object")
    problems: dict[str, str] = {}
    _fill(message, value, "", problems, without)
    if problems:
        raise invalid_fields(problems)


def _parse(text: bytes) -> object:
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RecursionError:
        raise WagateError(Code.VALIDATION_ERROR, "malformed body: nested too deeply") from None
    except UnicodeDecodeError:
        raise WagateError(Code.VALIDATION_ERROR, "malformed body: not UTF-8") from None
    except json.JSONDecodeError as error:
        raise WagateError(
            Code.VALIDATION_ERROR,
            f"malformed body: {error.msg} at line {error.lineno}, column {error.colno}",
        ) from None
    except ValueError as error:
        raise WagateError(Code.VALIDATION_ERROR, f"malformed body: {error}") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is given twice")
    return found


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON number")


def _to_json(message: Message) -> dict[str, object]:
    return {name: convert(message) for name, convert in _printers(message.DESCRIPTOR)}


@cache
def _printers(descriptor: Descriptor) -> list[tuple[str, Callable[[Message], object]]]:
    return [(field.json_name, _printer(field)) for field in descriptor.fields]


def _printer(field: FieldDescriptor) -> Callable[[Message], object]:
    name = field.name
    if is_map(field):
        return lambda message: dict(getattr(message, name))
    one = _one_printer(field)
    if field.is_repeated:
        return lambda message: [one(value) for value in getattr(message, name)]
    if field.has_presence:
        return lambda message: one(getattr(message, name)) if message.HasField(name) else None
    return lambda message: one(getattr(message, name))


def _one_printer(field: FieldDescriptor) -> Callable[[Any], object]:
    if field.enum_type is not None:
        words = {number: word for word, number in enum_words(field.enum_type).items()}
        return lambda value: words[value]
    if field.message_type is not None:
        return _to_json
    return lambda value: value


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map, which its descriptor tells as a list of pairs."""
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


@cache
def enum_words(enum: EnumDescriptor) -> Mapping[str, int]:
    """The API's words for an enum, with their numbers."""
    prefix = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.name).upper() + "_"
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values}


def _fill(
    message: Message,
    value: Mapping[str, object],
    path: str,
    problems: dict[str, str],
    without: frozenset[str] = frozenset(),
) -> None:
    # The stubs give the fields two types; at run time they are one.
    all_fields = cast("Sequence[FieldDescriptor]", message.DESCRIPTOR.fields)
    fields = {field.json_name: field for field in all_fields if field.name not in without}
    for name, given in value.items():
        if len(problems) >= PROBLEMS:
            return
        field = fields.get(name)
        where = f"{path}{name}"
        if field is None:
            problems[_printable(where)] = "unknown field"
        elif given is None:
            if _rules(field).null_is_empty:
                setattr(message, field.name, "")
        else:
            try:
                _set(message, field, given, where, problems)
            except _MismatchError as error:
                problems[where] = str(error)


def _rules(field: FieldDescriptor) -> rules_pb2.FieldRules:
    return field.GetOptions().Extensions[rules_pb2.rules]


def _printable(name: str) -> str:
    """A caller's name for a field, short and without the half characters that no answer can hold."""
    return name[:NAME_LENGTH].encode(errors="replace").decode()


class _MismatchError(Exception):
    """A value that its field cannot take."""


def _set(
    message: Message, field: FieldDescriptor, given: object, where: str, problems: dict[str, str]
) -> None:
    if field.is_repeated:
        if not isinstance(given, list):
            raise _MismatchError("must be a list")
        if not given:
            _refuse_empty_list(field)
        target: MutableSequence[object] = getattr(message, field.name)
        target.extend(_scalar(field, item) for item in given)
    elif field.message_type is not None and field.message_type.full_name in {_VALUE, _STRUCT}:
        if field.message_type.full_name == _STRUCT and not isinstance(given, dict):
            raise _MismatchError("must be an object")
        try:
            json.dumps(given, allow_nan=False)  # the parser takes infinities, which no JSON can give back
            value: Message = getattr(message, field.name)
            value.SetInParent()  # also for an object with nothing in it
            json_format.ParseDict(cast("dict[str, Any]", given), value, max_recursion_depth=32)
        except (json_format.ParseError, ValueError, OverflowError, RecursionError):
            raise _MismatchError("not a usable JSON value") from None
    elif field.message_type is not None:
        if not isinstance(given, dict):
            raise _MismatchError("must be an object")
        child: Message = getattr(message, field.name)
        child.SetInParent()
        _fill(child, given, f"{where}.", problems)
    else:
        setattr(message, field.name, _scalar(field, given))


def _refuse_empty_list(field: FieldDescriptor) -> None:
    """Refuses a list that is given and must not be empty: once it is read nobody can tell it from none."""
    rule = _rules(field)
    if rule.min_items and not rule.required_for and not rule.used_for:
        raise _MismatchError(f"must have at least {rule.min_items} of them, or be absent")


def _scalar(field: FieldDescriptor, given: object) -> object:
    if field.enum_type is not None:
        words = enum_words(field.enum_type)
        if not isinstance(given, str) or words.get(given, 0) == 0:
            allowed = ", ".join(word for word, number in words.items() if number)
            raise _MismatchError(f"must be one of {allowed}")
        return words[given]
    match field.type:
        case FieldDescriptor.TYPE_STRING:
            return _string(given)
        case FieldDescriptor.TYPE_BOOL:
            if not isinstance(given, bool):
                raise _MismatchError("must be true or false")
            return given
        case FieldDescriptor.TYPE_INT32 | FieldDescriptor.TYPE_INT64:
            return _integer(given, _INTEGER_BITS[field.type])
        case FieldDescriptor.TYPE_DOUBLE:
            return _number(given)
        case _:
            raise AssertionError(f"{field.full_name} has a type that no request uses so far")


def _string(given: object) -> str:
    if not isinstance(given, str):
        raise _MismatchError("must be a string")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise _MismatchError("holds half of a surrogate pair, which is no character") from None
    return given


def _integer(given: object, bits: int) -> int:
    whole = _number(given)
    if not whole.is_integer():
        raise _MismatchError("must be a whole number")
    exact = given if isinstance(given, int) else int(whole)
    if not -(2**bits) <= exact < 2**bits:
        raise _MismatchError("is out of range")
    return exact


def _number(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise _MismatchError("must be a number")
    try:
        number = float(given)
    except OverflowError:
        raise _MismatchError("is out of range") from None
    if not math.isfinite(number):
        raise _MismatchError("is out of range")
    return number
