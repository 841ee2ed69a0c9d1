"""JSON Web Tokens (RFC 7519): the tenant's own, and the assertions that applications sign."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.tenant.errors import refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.tenant.tenant import Tenant

GRAPH_AUDIENCE = "https://graph.microsoft.com"
KEY_BITS = 2048
_PADDINGS = {
    "RS256": padding.PKCS1v15(),
    "PS256": padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.DIGEST_LENGTH),
}


class MalformedToken(ValueError):
    """A text that is not a signed JSON Web Token."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart; nothing of it is believed yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


def encode(data: bytes) -> str:
    """Spell bytes in base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str) -> bytes:
    """Read base64url without padding; raise MalformedToken."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise MalformedToken(text[:20]) from None


def take_apart(text: str) -> Token:
    """Cut a compact token into header, claims and signature; raise MalformedToken."""
    parts = text.split(".")
    if len(parts) != 3:
        raise MalformedToken("not three parts")
    try:
        header, claims = json.loads(decode(parts[0])), json.loads(decode(parts[1]))
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise MalformedToken("not JSON") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise MalformedToken("not an object")
    return Token(header, claims, f"{parts[0]}.{parts[1]}".encode("ascii"), decode(parts[2]))


def verified(token: Token, keys: Sequence[rsa.RSAPublicKey]) -> bool:
    """Say whether one of the keys signed the token, with RS256 or PS256."""
    scheme = _PADDINGS.get(str(token.header.get("alg")))
    if scheme is None:
        return False
    for key in keys:
        try:
            key.verify(token.signature, token.signed, scheme, hashes.SHA256())
        except InvalidSignature:
            continue
        return True
    return False


def certificate_key(pem: str) -> rsa.RSAPublicKey:
    """Read the RSA key of a PEM certificate."""
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("an application's certificate carries an RSA key")
    return key


def signed_by_certificate(token: Token, certificates: Sequence[str]) -> bool:
    """Say whether a registered certificate, the one that the header names, signed the token.

    Microsoft identity platform, page "Application authentication certificate credentials": the header carries
    the thumbprint as x5t (SHA-1) or x5t#S256.
    """
    named = {str(token.header.get(name, "")).rstrip("=") for name in ("x5t", "x5t#S256")}
    for pem in certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        prints = {encode(certificate.fingerprint(kind)) for kind in (hashes.SHA1(), hashes.SHA256())}  # noqa: S303 (the protocol's own thumbprint)
        if named & prints and verified(token, [certificate_key(pem)]):
            return True
    return False


@cache
def _process_key() -> rsa.RSAPrivateKey:
    """Make the signing key, once a process: making one is the slowest thing a stand-in does at its start."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


class TokenIssuer:
    """Issues the access tokens of a tenant and reads them back."""

    def __init__(self) -> None:
        self._key = _process_key()
        self._read: dict[str, Mapping[str, Any]] = {}

    def key_set(self) -> dict[str, Any]:
        """Give the JSON Web Key Set of the signing key (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        modulus = numbers.n.to_bytes(KEY_BITS // 8, "big")
        key = {
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self._key_id(modulus),
            "n": encode(modulus),
            "e": encode(numbers.e.to_bytes(3, "big")),
        }
        return {"keys": [key]}

    def issue(self, tenant: Tenant, audience: str, roles: Sequence[str]) -> str:
        """Make an application's access token for `audience` with these roles."""
        identity = tenant.identity
        now = int(tenant.store.now().timestamp())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{identity.tenant_id}/",
            "iat": now,
            "nbf": now,
            "exp": now + identity.token_lifetime_s,
            "app_displayname": "Fourcheck",
            "appid": identity.client_id,
            "appidacr": "1",
            "idtyp": "app",
            "oid": identity.client_id,
            "roles": list(roles),
            "sub": identity.client_id,
            "tid": identity.tenant_id,
            "ver": "1.0",
        }
        header = {"typ": "JWT", "alg": "RS256", "kid": self.key_set()["keys"][0]["kid"]}
        signed = ".".join(
            encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
        )
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encode(signature)}"

    def read(self, authorization: str, tenant: Tenant) -> frozenset[str]:
        """Check a bearer token and give its roles; refuse with 401."""
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise refuse("no_token")
        claims = self._read.get(text)
        if claims is None:
            claims = self._claims(text.strip())
            self._read[text] = claims
        if claims.get("aud") != GRAPH_AUDIENCE or claims.get("tid") != tenant.identity.tenant_id:
            raise refuse("bad_token_audience")
        if int(claims["exp"]) <= tenant.store.now().timestamp():
            raise refuse("expired_token")
        return frozenset(claims["roles"])

    def _claims(self, text: str) -> Mapping[str, Any]:
        try:
            token = take_apart(text)
        except MalformedToken:
            raise refuse("bad_token") from None
        if not verified(token, [self._key.public_key()]):
            raise refuse("bad_token_signature")
        return token.claims

    def _key_id(self, modulus: bytes) -> str:
        return encode(hashlib.sha256(modulus).digest()[:20])
