"""Every way in which somebody tries to be let in without a login token of the frontend's."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from server.auth.login import TOKEN_LENGTH, LoginTokens
from tests.support.frontend import Frontend, claims, mint, private_key, public_jwk
from tests.unit.server.login_desk import OrganizationsInMemory, refused


def encoded(data: object) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], signature: bytes = b"", **changes: object) -> str:
    return f"{encoded(header)}.{encoded(claims(**changes))}.{encoded(signature)}"


def hmac_with_the_public_key(form: str) -> str:
    """The classic: what the gateway verifies with, taken as a shared secret."""
    key = private_key("rsa", "RS256").public_key()
    secret = {
        "pem": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "pkcs1": key.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "jwk": json.dumps(public_jwk(private_key("rsa", "RS256"))).encode(),
        "empty": b"",
    }[form]
    signed = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': 'rsa'})}.{encoded(claims())}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def with_other_payload(token: str) -> str:
    header, _, signature = token.split(".")
    return f"{header}.{encoded(claims(sub='somebody'))}.{signature}"


def signed_by_a_stranger(**headers: object) -> str:
    """Signed with a key that nobody published, in the name of one that is."""
    return jwt.encode(claims(), private_key("evil", "EdDSA"), "EdDSA", headers={"kid": "ed", **headers})


def rsa_signed(algorithm: str) -> str:
    return jwt.encode(claims(), private_key("rsa", "RS256"), algorithm, {"kid": "rsa"})


def with_its_own_key(header: str) -> str:
    key = public_jwk(private_key("evil", "EdDSA"), kid="ed")
    value = {"jwk": key, "x5c": ["MIIB"], "crit": ["jwk"], "b64": True, "zip": "DEF"}.get(
        header, "http://127.0.0.1:9/evil.json"
    )
    raw = {"alg": "EdDSA", "kid": "ed", "typ": "JWT", header: value}
    signed = f"{encoded(raw)}.{encoded(claims())}"
    return f"{signed}.{encoded(private_key('evil', 'EdDSA').sign(signed.encode()))}"  # type: ignore[call-arg] # it is an Ed25519 key


ATTACKS: dict[str, Callable[[], str]] = {
    "alg none": lambda: by_hand({"alg": "none", "kid": "ed"}),
    "alg None": lambda: by_hand({"alg": "None", "kid": "ed"}),
    "alg nOnE without kid": lambda: by_hand({"alg": "nOnE"}),
    "alg none with a signature": lambda: by_hand({"alg": "none", "kid": "rsa"}, b"x" * 256),
    "no alg": lambda: by_hand({"kid": "ed"}, b"x" * 64),
    "alg is a list": lambda: by_hand({"alg": ["EdDSA"], "kid": "ed"}, b"x" * 64),
    "alg is empty": lambda: by_hand({"alg": "", "kid": "ed"}),
    "HMAC with the public key as PEM": lambda: hmac_with_the_public_key("pem"),
    "HMAC with the public key as PKCS 1": lambda: hmac_with_the_public_key("pkcs1"),
    "HMAC with the public key as JWK": lambda: hmac_with_the_public_key("jwk"),
    "HMAC with nothing": lambda: hmac_with_the_public_key("empty"),
    "RS512 by an RS256 key": lambda: rsa_signed("RS512"),
    "PS256 by an RS256 key": lambda: rsa_signed("PS256"),
    "RS256 in the name of an EC key": lambda: mint("rsa", "RS256", {"kid": "ec"}),
    "ES256 in the name of an RSA key": lambda: mint("ec", "ES256", {"kid": "rsa"}),
    "a stranger's key": signed_by_a_stranger,
    "an empty signature": lambda: by_hand({"alg": "EdDSA", "kid": "ed"}),
    "a signature of zeros (ES256)": lambda: by_hand({"alg": "ES256", "kid": "ec"}, bytes(64)),
    "a signature of zeros (EdDSA)": lambda: by_hand({"alg": "EdDSA", "kid": "ed"}, bytes(64)),
    "another payload": lambda: with_other_payload(mint()),
    "no signature part": lambda: mint().rpartition(".")[0],
    "four parts": lambda: mint() + ".x",
    "a padded signature with junk": lambda: mint() + "!",
    "header jwk": lambda: with_its_own_key("jwk"),
    "header jku": lambda: with_its_own_key("jku"),
    "header x5u": lambda: with_its_own_key("x5u"),
    "header x5c": lambda: with_its_own_key("x5c"),
    "header crit": lambda: with_its_own_key("crit"),
    "header b64": lambda: with_its_own_key("b64"),
    "header zip": lambda: with_its_own_key("zip"),
    "header jku, well signed": lambda: mint("ed", "EdDSA", {"jku": "http://127.0.0.1:9/evil.json"}),
    "made for something else": lambda: mint("ed", "EdDSA", {"typ": "logout+jwt"}),
    "typ is a number": lambda: by_hand({"alg": "EdDSA", "kid": "ed", "typ": 1}, b"x" * 64),
    "no kid": lambda: jwt.encode(claims(), private_key("ed", "EdDSA"), "EdDSA"),
    "kid is a path": lambda: mint("ed", "EdDSA", {"kid": "../../../../dev/null"}),
    "kid is SQL": lambda: mint("ed", "EdDSA", {"kid": "x' UNION SELECT 'key"}),
    "kid is a URL": lambda: mint("ed", "EdDSA", {"kid": "http://127.0.0.1:9/"}),
    "kid is empty": lambda: mint("ed", "EdDSA", {"kid": ""}),
    "kid is long": lambda: mint("ed", "EdDSA", {"kid": "e" * 257}),
    "kid has a line break": lambda: mint("ed", "EdDSA", {"kid": "ed\nx"}),
    "kid is a number": lambda: by_hand({"alg": "EdDSA", "kid": 1}, b"x" * 64),
    "kid is null": lambda: by_hand({"alg": "EdDSA", "kid": None}, b"x" * 64),
    "kid is a list": lambda: by_hand({"alg": "EdDSA", "kid": ["ed"]}, b"x" * 64),
    "a JWE": lambda: f"{encoded({'alg': 'dir', 'enc': 'A256GCM', 'kid': 'ed'})}..aaaa.bbbb.cccc",
    "a header that is no object": lambda: f"{encoded([])}.{encoded(claims())}.xxxx",
    "a header that is no JSON": lambda: f"{encoded(b'{')}.{encoded(claims())}.xxxx",
    "a header of many brackets": lambda: f"{encoded(b'[' * 5000)}.e30.xxxx",
    "text": lambda: "hello",
    "nothing but dots": lambda: "..........",
    "not ASCII": lambda: "é.é.é",
    "too long": lambda: mint(filler="x" * TOKEN_LENGTH),
}  # fmt: skip


@pytest.mark.parametrize("attack", sorted(ATTACKS))
async def test_attacks_are_refused(
    logins: LoginTokens, organizations: OrganizationsInMemory, attack: str
) -> None:
    token = ATTACKS[attack]()
    error = await refused(logins, token)
    # nothing of the token comes back, and nobody was let in on the way
    assert token not in error.message
    assert set(organizations.kept) == {"shop"}


async def test_a_payload_that_is_no_object_is_refused(logins: LoginTokens) -> None:
    key = private_key("ed", "EdDSA")
    nested = mint().encode()
    for payload in (nested, b"[]", b"1", b"null", b"{", b"[" * 3000, b"\xff"):
        token = jwt.api_jws.encode(payload, key, "EdDSA", headers={"kid": "ed"})
        assert "malformed" in (await refused(logins, token)).message


def weak_rsa() -> tuple[dict[str, Any], str]:
    key = generate_rsa(65537, 1024)
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        token = jwt.encode(claims(), key, "RS256", {"kid": "bad"})
    return public_jwk(key, kid="bad"), token


def wrong_curve(algorithm: str | None) -> tuple[dict[str, Any], str]:
    key = generate_ec(SECP384R1())
    fields = {"kid": "bad"} if algorithm is None else {"kid": "bad", "alg": algorithm}
    return public_jwk(key, **fields), jwt.encode(claims(), key, "ES384", {"kid": "bad"})


def symmetric(algorithm: str | None) -> tuple[dict[str, Any], str]:
    secret = b"s" * 32
    jwk = {"kty": "oct", "k": encoded(secret), "kid": "bad", **({"alg": algorithm} if algorithm else {})}
    return jwk, jwt.encode(claims(), secret, "HS256", {"kid": "bad"})


def for_encryption() -> tuple[dict[str, Any], str]:
    return public_jwk(private_key("enc", "EdDSA"), kid="enc", use="enc"), mint("enc")


def said_to_be_for_hmac() -> tuple[dict[str, Any], str]:
    key = private_key("rsa", "RS256")
    return public_jwk(key, kid="bad", alg="HS256"), jwt.encode(claims(), key, "RS256", {"kid": "bad"})


@pytest.mark.parametrize(
    "bad",
    [
        weak_rsa,
        lambda: wrong_curve(None),
        lambda: wrong_curve("ES384"),
        lambda: wrong_curve("ES256"),
        lambda: symmetric(None),
        lambda: symmetric("HS256"),
        for_encryption,
        said_to_be_for_hmac,
    ],
    ids=["weak RSA", "P-384", "ES384", "P-384 as ES256", "oct", "oct HS256", "use enc", "RSA as HS256"],
)
async def test_published_keys_of_other_kinds_sign_nothing(
    front: Frontend, logins: LoginTokens, bad: Callable[[], tuple[dict[str, Any], str]]
) -> None:
    jwk, token = bad()
    front.published.append(jwk)
    await refused(logins, token)
    assert (await logins.verify(mint()))[0].subject == "user_1"
