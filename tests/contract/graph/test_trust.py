"""Whose certificate is taken, and the way through a proxy."""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pipeline import errors
from pipeline.adapters.tokens import TokenSettings, TokenSource
from tests.contract.graph.parts import JumpingClock, Say, serving, transport_to


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> tuple[ssl.SSLContext, Path]:
    """Make a self-signed certificate; return a server's context with it, and its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, both = folder / "public.pem", folder / "both.pem"
    public.write_bytes(made.public_bytes(Encoding.PEM))
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    both.write_bytes(public.read_bytes() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context, public


async def test_a_certificate_that_the_ca_file_names_is_taken(clock: JumpingClock, tmp_path: Path) -> None:
    """A proxy that inspects TLS can be trusted by naming its CA."""
    context, public = certificate(tmp_path)
    async with serving(clock, context) as server:
        server.will(Say(body={"id": "1"}))
        async with transport_to(server.url, clock, ca_file=public) as transport:
            assert (await transport.request("GET", "/users/1")).ok


@pytest.mark.parametrize(
    ("host", "days", "named"),
    [
        pytest.param("127.0.0.1", 1, False, id="nobody vouches for it"),
        pytest.param("127.0.0.2", 1, True, id="it is another host's"),
        pytest.param("127.0.0.1", -1, True, id="it has expired"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_certificate_that_is_not_taken(
    clock: JumpingClock, tmp_path: Path, *, method: str, host: str, days: int, named: bool
) -> None:
    """It is said at once; nothing was sent, so even a create is not of unknown outcome."""
    context, public = certificate(tmp_path, host=host, days=days)
    async with serving(clock, context) as server:
        server.will(Say(body={"id": "1"}))
        async with transport_to(server.url, clock, ca_file=public if named else None) as transport:
            with pytest.raises(errors.TenantUntrusted):
                await transport.request(method, "/users")
        settings = TokenSettings(
            "contoso.test", "x", client_secret="y", login_url=server.url, ca_file=public if named else None
        )
        source = TokenSource(settings, clock)
        with pytest.raises(errors.TenantUntrusted):
            await source.token()
        await source.aclose()
        assert server.seen == []
    assert clock.naps == []


@pytest.mark.parametrize("content", [None, "", "rubbish"], ids=["no file", "empty", "rubbish"])
async def test_a_ca_file_that_is_of_no_use(clock: JumpingClock, tmp_path: Path, content: str | None) -> None:
    """The setting is named; going on without it would be worse."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    async with transport_to("https://127.0.0.1:1", clock, ca_file=path) as transport:
        with pytest.raises(errors.TenantUntrusted) as caught:
            await transport.request("GET", "/users")
    assert "FOURCHECK_ENTRA__CA_FILE" in caught.value.remedy


async def test_the_way_through_a_proxy(clock: JumpingClock) -> None:
    """Graph and sign-in go through the proxy when there is one; its password is sent to it alone."""
    async with serving(clock) as proxy:
        proxy.will(Say(body={"id": "1"}))
        through = proxy.url.replace("http://", "http://us%40er:p%3Aw@")
        async with transport_to("http://127.0.0.1:1", clock, proxy_url=through) as transport:
            assert (await transport.request("GET", "/users/1")).ok
        assert proxy.seen[0].raw_path == "http://127.0.0.1:1/v1.0/users/1"
        basic = base64.b64encode(b"us@er:p:w").decode()
        assert proxy.seen[0].headers["proxy-authorization"] == f"Basic {basic}"
        assert proxy.seen[0].headers["authorization"] == "Bearer token-1"
        settings = TokenSettings(
            "contoso.test", "x", client_secret="y", login_url="http://127.0.0.1:1", proxy_url=through
        )
        source = TokenSource(settings, clock)
        with pytest.raises(errors.SignInRefused):
            await source.token()
        await source.aclose()
        assert proxy.seen[1].raw_path.startswith("http://127.0.0.1:1/contoso.test/v2.0/")
        assert proxy.seen[1].headers["proxy-authorization"] == f"Basic {basic}"


async def test_a_proxy_that_refuses(clock: JumpingClock) -> None:
    """Without the proxy nothing was sent: unreachable, also for a create."""
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    async with (
        proxy,
        transport_to("https://127.0.0.1:1", clock, proxy_url=f"http://u:p@127.0.0.1:{port}") as transport,
    ):
        with pytest.raises(errors.TenantUnreachable):
            await transport.request("POST", "/users", json={})
    assert asked[0].startswith(b"CONNECT 127.0.0.1:1 HTTP/1.1")
    assert b"Proxy-Authorization: Basic dTpw" in asked[0]
    assert b"Bearer" not in asked[0]
