"""The least that the job can be: one read, one look, one write, one message and its end, and no engine.

A bot of the benchmark only. It takes the same signed command as the product, and does what no bot can do
without: read the object over a kept connection, ask Graph once, write once, post and update. What it writes
is fixed text; it checks nothing and keeps nothing. How much longer the product takes is what it costs.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import quote

import aiohttp
import ldap3
from aiohttp import web

_THREADS: Final = 8
_BLOCK: Final = {"type": "section", "text": {"type": "mrkdwn", "text": "*Import* Passed. 46 attributes"}}


class Limit:
    """The connections, kept open, and one command's way through them."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings
        self._local = threading.local()
        self._threads = ThreadPoolExecutor(_THREADS)
        self._token = ""
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Open the session, sign in, and bind every thread's connection."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=75))
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings["FOURCHECK_ENTRA__CLIENT_ID"],
            "client_secret": self._settings["FOURCHECK_ENTRA__CLIENT_SECRET"],
            "scope": "https://graph.microsoft.com/.default",
        }
        login = self._settings["FOURCHECK_ENTRA__LOGIN_URL"]
        tenant = self._settings["FOURCHECK_ENTRA__TENANT_ID"]
        async with self._session.post(f"{login}/{tenant}/oauth2/v2.0/token", data=form) as answer:
            self._token = (await answer.json())["access_token"]
        held = threading.Barrier(_THREADS)

        def bind() -> None:
            held.wait(10)
            self._connection()

        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(self._threads, bind) for _ in range(_THREADS)))

    async def command(self, request: web.Request) -> web.Response:
        """Acknowledge, and do the rest afterwards."""
        form = await request.post()
        task = asyncio.create_task(self._run(str(form["text"]), str(form["channel_id"])))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return web.Response()

    async def _run(self, dn: str, channel: str) -> None:
        loop = asyncio.get_running_loop()
        name, anchor = await loop.run_in_executor(self._threads, self._read, dn)
        post = asyncio.create_task(self._slack("chat.postMessage", channel=channel, **_message(f"{name} …")))
        users = await self._look(anchor)
        await self._graph("PATCH", f"/users/{users[0]['id']}", {"jobTitle": "Reader"})
        ts = (await post)["ts"]
        await self._slack("chat.update", channel=channel, ts=ts, **_message(f"{name} was updated"))

    def _read(self, dn: str) -> tuple[str, str]:
        _, _, response, _ = self._connection().search(dn, "(objectClass=*)", "BASE", attributes=["*"])
        found = response[0]["raw_attributes"]
        anchor = (found.get("mS-DS-ConsistencyGuid") or found["objectGUID"])[0]
        return found["displayName"][0].decode(), base64.b64encode(anchor).decode()

    def _connection(self) -> ldap3.Connection:
        if not hasattr(self._local, "connection"):
            settings = self._settings
            tls = ldap3.Tls(
                validate=ssl.CERT_REQUIRED, ca_certs_file=settings["FOURCHECK_DIRECTORY__CA_FILE"]
            )
            server = ldap3.Server(
                settings["FOURCHECK_DIRECTORY__URLS"], use_ssl=True, tls=tls, get_info=ldap3.NONE
            )
            self._local.connection = ldap3.Connection(
                server,
                settings["FOURCHECK_DIRECTORY__BIND_DN"],
                settings["FOURCHECK_DIRECTORY__BIND_PASSWORD"],
                client_strategy=ldap3.SAFE_SYNC,
                auto_bind=True,
                check_names=False,
            )
        connection: ldap3.Connection = self._local.connection
        return connection

    async def _look(self, anchor: str) -> list[dict[str, Any]]:
        condition = quote(f"onPremisesImmutableId eq '{anchor}'")
        url = f"/users?$filter={condition}&$select=id,displayName"
        batch = {"requests": [{"id": "1", "method": "GET", "url": url}]}
        answer = await self._graph("POST", "/$batch", batch)
        found: list[dict[str, Any]] = answer["responses"][0]["body"]["value"]
        return found

    async def _graph(self, method: str, path: str, body: object) -> dict[str, Any]:
        url = self._settings["FOURCHECK_ENTRA__GRAPH_URL"] + "/v1.0" + path
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            answer.raise_for_status()
            return dict(json.loads(text)) if text else {}

    async def _slack(self, method: str, **arguments: Any) -> dict[str, Any]:
        url = self._settings["FOURCHECK_SLACK__API_URL"] + "/" + method
        headers = {"Authorization": f"Bearer {self._settings['FOURCHECK_SLACK__BOT_TOKEN']}"}
        async with self._session.post(url, json=arguments, headers=headers) as answer:
            told = dict(await answer.json())
        if not told.get("ok"):
            raise RuntimeError(told.get("error"))
        return told


def _message(text: str) -> dict[str, Any]:
    """Return a message about as large as the product's."""
    return {
        "text": text,
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": text}}] + [_BLOCK] * 11,
    }


async def main() -> None:
    """Serve until standard input ends; say on which port."""
    limit = Limit(dict(os.environ))
    await limit.open()
    application = web.Application()
    application.add_routes([web.post("/slack/events", limit.command)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"listens on http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
