"""The official client of Microsoft Graph, pointed at a tenant of the sandbox."""

from __future__ import annotations

import importlib
import importlib.util
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.contract.tenant.conftest import Caller


def installed() -> bool:
    """Say whether the package is there; it is in a dependency group of its own."""
    return importlib.util.find_spec("msgraph") is not None


def load(where: str) -> Any:
    """Import `module:name`: the package may be absent, and its types would take minutes to check."""
    module, _, name = where.partition(":")
    return getattr(importlib.import_module(module), name)


class Sdk:
    """The client and the models of the SDK, loaded when a test needs them."""

    def __init__(self, client: Any) -> None:
        models = "msgraph.generated.models"
        self.client = client
        self.User = load(f"{models}.user:User")
        self.Group = load(f"{models}.group:Group")
        self.PasswordProfile = load(f"{models}.password_profile:PasswordProfile")
        self.ReferenceCreate = load(f"{models}.reference_create:ReferenceCreate")
        self.ReferenceUpdate = load(f"{models}.reference_update:ReferenceUpdate")
        self.Error = load(f"{models}.o_data_errors.o_data_error:ODataError")

    def person(self, name: str, **more: Any) -> Any:
        """Make a user for create."""
        profile = self.PasswordProfile(password="Long-enough-9", force_change_password_next_sign_in=True)
        return self.User(
            account_enabled=True,
            display_name=name.title(),
            mail_nickname=name,
            user_principal_name=f"{name}@contoso.test",
            password_profile=profile,
            **more,
        )

    def configured(self, headers: dict[str, str] | None = None, parameters: Any = None) -> Any:
        """Make a request configuration with headers and query parameters."""
        made = load("kiota_abstractions.base_request_configuration:RequestConfiguration")(
            query_parameters=parameters
        )
        for name, value in (headers or {}).items():
            made.headers.add(name, value)
        return made

    async def read_user(self, user_id: str, select: list[str]) -> Any:
        """Read a user with $select."""
        builder = self.client.users.by_user_id(user_id)
        parameters = builder.UserItemRequestBuilderGetQueryParameters(select=select)
        return await builder.get(request_configuration=self.configured(parameters=parameters))

    async def list_users(self, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """List users with query options."""
        parameters = self.client.users.UsersRequestBuilderGetQueryParameters(**options)
        return await self.client.users.get(request_configuration=self.configured(headers, parameters))


@asynccontextmanager
async def official_client(caller: Caller) -> AsyncIterator[Sdk]:
    """Give msgraph-sdk on the caller's tenant, with whatever token the caller has by then."""
    provider = load("kiota_abstractions.authentication:AuthenticationProvider")

    async def authenticate(_: Any, request: Any, __: Any = None) -> None:
        request.headers.try_add("Authorization", caller.http.headers["Authorization"])

    bearer = type("Bearer", (provider,), {"authenticate_request": authenticate})()
    factory = load("msgraph_core:GraphClientFactory")
    # The SDK wraps the transport and leaves it open; so it is closed here.
    async with httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as transport:
        client = factory.create_with_default_middleware(client=httpx.AsyncClient(transport=transport))
        adapter = load("msgraph:GraphRequestAdapter")(bearer, client=client)
        adapter.base_url = f"{caller.server.url}/v1.0"
        yield Sdk(load("msgraph:GraphServiceClient")(request_adapter=adapter))
