"""Binary values and their texts: base64, hexadecimal, GUIDs and SIDs."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from typing import TYPE_CHECKING, Final

from pipeline.expressions.errors import Fault
from pipeline.expressions.kinds import ANY, BINARY, SCALAR, TEXT, WORD, to_bytes
from pipeline.expressions.signature import (
    ALL,
    CONNECT,
    Form,
    Function,
    Parameter,
    Style,
    required,
)
from pipeline.expressions.state import SMALL
from pipeline.expressions.values import Scalar, Value, as_text

if TYPE_CHECKING:
    from pipeline.expressions.state import State

_ENCODINGS: Final = {"unicode": "utf-16-le", "utf8": "utf-8", "ascii": "ascii"}
_GUID: Final = re.compile(r"(\{)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?(1)\})", re.IGNORECASE | re.ASCII)


def encoded(text: str, encoding: str) -> bytes:
    """Encode a text as .NET does: half a surrogate pair becomes U+FFFD."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError:
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return whole.encode(encoding, "replace")


def to_base64(state: State, source: Scalar) -> str:
    """Give the base64 text of a binary value, or of a text as UTF-16."""
    data = source if isinstance(source, bytes) else encoded(as_text(source), "utf-16-le")
    _charge(state, len(data) * 4 // 3)
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str, encoding: str | None = None) -> str:
    """Give the text that base64 holds, as UTF-16 unless another encoding is named."""
    name = _ENCODINGS.get((encoding or "Unicode").casefold())
    if name is None:
        raise Fault("must be Unicode, ASCII or UTF8", "Encoding", value=encoding)
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Fault("must be base64 text", "source", value=text) from None
    if name == "ascii":
        return data.decode("ascii", "replace").replace("\ufffd", "?")
    return data.decode(name, "replace")


def to_utf8_hex(state: State, source: Scalar) -> str:
    """Give the UTF-8 bytes of a text in upper-case hexadecimal digits."""
    data = source if isinstance(source, bytes) else encoded(as_text(source), "utf-8")
    _charge(state, len(data) * 2)
    return data.hex().upper()


def from_utf8_hex(text: str) -> str:
    """Give the text whose UTF-8 bytes the hexadecimal digits are."""
    try:
        return bytes.fromhex(text).decode("utf-8", "replace")
    except ValueError:
        raise Fault("must be pairs of hexadecimal digits", "source", value=text) from None


def _charge(state: State, size: int) -> None:
    if size > SMALL:
        state.charge(size)


def is_guid(value: Value) -> bool:
    """Tell whether a value is a text that CGuid takes."""
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def to_guid(text: str) -> bytes:
    """Give the 16 bytes of a GUID's text, in the byte order of AD."""
    if not is_guid(text):
        raise Fault("must be a GUID", "GUID", value=text)
    return uuid.UUID(text).bytes_le


def guid_text(data: bytes) -> str:
    """Give the text of a GUID's 16 bytes."""
    if len(data) != 16:
        raise Fault("must be 16 bytes", "GUID", value=data)
    return str(uuid.UUID(bytes_le=data))


def sid_text(sid: Scalar) -> str:
    """Give the text of a security identifier ([MS-DTYP] 2.4.2): S-revision-authority-subauthorities."""
    if isinstance(sid, str) and sid.startswith("S-1-"):
        return sid
    try:
        data = to_bytes(sid)
    except Fault as fault:
        raise Fault(fault.problem, "ObjectSID", value=sid) from None
    if len(data) < 8 or len(data) != 8 + 4 * data[1]:
        raise Fault("must be the bytes of a security identifier", "ObjectSID", value=data)
    authority = int.from_bytes(data[2:8], "big")
    parts = [int.from_bytes(data[at : at + 4], "little") for at in range(8, len(data), 4)]
    return "-".join(["S", str(data[0]), str(authority), *map(str, parts)])


FUNCTIONS: Final = (
    Function("CGuid", (Form(CONNECT, required(("GUID", TEXT)), to_guid),)),
    Function(
        "ConvertFromBase64",
        (Form(ALL, (Parameter("source", TEXT), Parameter("Encoding", WORD, optional=True)), from_base64),),
    ),
    Function("ConvertFromUTF8Hex", (Form(CONNECT, required(("source", TEXT)), from_utf8_hex),)),
    Function("ConvertToBase64", (Form(ALL, required(("source", SCALAR)), to_base64, Style.STATEFUL),)),
    Function("ConvertToUTF8Hex", (Form(ALL, required(("source", SCALAR)), to_utf8_hex, Style.STATEFUL),)),
    Function("IsGuid", (Form(CONNECT, required(("GUID", ANY)), is_guid),)),
    Function("StringFromGuid", (Form(CONNECT, required(("GUID", BINARY)), guid_text),)),
    Function("StringFromSid", (Form(ALL, required(("ObjectSID", SCALAR)), sid_text),)),
)
