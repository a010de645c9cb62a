import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.binary_xml import MAX_STANZA, Codec, MalformedStanzaError
from sandbox.jid import JID
from sandbox.stanza import Content, Node, Value
from tests.unit.sandbox.dictionary import installed_dictionary

codec = Codec(installed_dictionary())

words = st.sampled_from(
    ["message", "read-self", "s.whatsapp.net", "3EB0A95EB8B2A49E79", "1699999999", "-1.5"]
)
texts = st.one_of(words, st.text(min_size=1, max_size=300))
users = st.from_regex(r"[0-9]{5,15}", fullmatch=True)
jids = st.one_of(
    st.builds(JID, users, st.sampled_from(["s.whatsapp.net", "lid"]), st.integers(0, 255)),
    st.just(JID("", "s.whatsapp.net")),
    st.builds(JID, users, st.just("g.us"), st.just(0)),
)
attributes = st.dictionaries(texts, st.one_of(texts, jids), max_size=6)
leaves: st.SearchStrategy[Content] = st.one_of(st.none(), st.binary(max_size=2000))
nodes = st.recursive(
    st.builds(Node, texts, attributes, leaves),
    lambda children: st.builds(Node, texts, attributes, st.lists(children, min_size=1, max_size=5)),
    max_leaves=20,
)


@given(nodes)
@settings(deadline=None)
def test_what_is_encoded_comes_back(node: Node) -> None:
    assert codec.decode(codec.encode(node)) == node


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=500)
def test_any_bytes_are_a_stanza_or_refused(data: bytes) -> None:
    try:
        node = codec.decode(data)
    except MalformedStanzaError:
        return
    assert isinstance(node, Node)


@given(nodes, st.data())
@settings(deadline=None)
def test_a_cut_stanza_is_refused(node: Node, data: st.DataObject) -> None:
    encoded = codec.encode(node)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(MalformedStanzaError):
        codec.decode(encoded[:cut])


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("message", "13"),  # a token of one byte
        ("read-self", "ec00"),  # a token of two
        ("12345", "ff8312345f"),  # digits, odd: the last half byte is filling
        ("1.2-3", "ff831b2a3f"),
        ("ABCDEF", "fb03abcdef"),  # upper-case hexadecimals
        ("abc", "fc03616263"),  # anything else as UTF-8
        (JID("", "s.whatsapp.net"), "fa0003"),  # an empty user, not plain text
        (JID("12345", "s.whatsapp.net"), "faff8312345f03"),
        (JID("12345", "s.whatsapp.net", 7), "f70007ff8312345f"),
        (JID("12345", "lid", 7), "f70107ff8312345f"),
    ],
)
def test_values_have_their_documented_form(value: Value, wire: str) -> None:
    # A node with one attribute: flag byte, list of three, tag iq, attribute to.
    assert codec.encode(Node("iq", {"to": value})).hex() == "00f8031911" + wire


@pytest.mark.parametrize("size", [0, 1, 255, 256, (1 << 20) - 1, 1 << 20])
def test_content_of_every_length_class_comes_back(size: int) -> None:
    node = Node("enc", {}, bytes(size))
    assert codec.decode(codec.encode(node)) == node


def test_a_list_of_more_than_255_children_comes_back() -> None:
    node = Node("list", {}, [Node("key", {"id": str(index)}) for index in range(812)])
    assert codec.decode(codec.encode(node)) == node


def test_a_compressed_stanza_is_unpacked() -> None:
    node = Node("message", {"id": "3EB0"}, b"x" * 5000)
    packed = b"\x02" + zlib.compress(codec.encode(node)[1:])
    assert codec.decode(packed) == node


def test_a_stanza_that_unpacks_to_too_much_is_refused() -> None:
    with pytest.raises(MalformedStanzaError, match="unpacks to more than"):
        codec.decode(b"\x02" + zlib.compress(bytes(MAX_STANZA + 1)))


def test_endless_nesting_is_refused() -> None:
    node = Node("a")
    for _ in range(40):
        node = Node("a", {}, [node])
    with pytest.raises(MalformedStanzaError, match="deeper"):
        codec.decode(codec.encode(node))


@pytest.mark.parametrize("jid", [JID("12345", "g.us", 1), JID("12345", "lid", 256)])
def test_an_address_without_a_form_is_refused(jid: JID) -> None:
    with pytest.raises(MalformedStanzaError, match="no form"):
        codec.encode(Node("iq", {"to": jid}))


def test_a_logged_stanza_shows_no_contents() -> None:
    assert "secret" not in repr(Node("message", {"id": "1"}, [Node("enc", {}, b"secret")]))
