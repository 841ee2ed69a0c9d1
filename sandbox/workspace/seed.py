"""The contoso workspace as it is before anything happens: one team, its people, its channels, one app."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

ChannelKind = Literal["public", "private", "direct"]


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace; `title` is what the person does there."""

    id: str
    name: str
    real_name: str
    title: str = ""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A conversation: a public or private channel, or a direct message; `members` are user ids."""

    id: str
    name: str
    kind: ChannelKind
    members: frozenset[str]
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A command that the app has registered, as the client offers it."""

    command: str
    description: str
    usage_hint: str


PROVISION = SlashCommand(
    "/provision",
    "Take one user or group of Active Directory through import, scope, match and action",
    "[preview] <distinguished name> [with <configuration>] | help",
)


@dataclass(frozen=True, slots=True)
class App:
    """The installed app with its credentials and the scopes that its tokens carry."""

    id: str = "A0FOURCHECK"
    bot_id: str = "B0FOURCHECK"
    bot_user: str = "U0BOT"
    name: str = "Fourcheck"
    bot_token: str = "xoxb-contoso-sandbox-bot"
    app_token: str = "xapp-1-A0FOURCHECK-sandbox"
    signing_secret: str = "contoso-sandbox-signing-secret"
    verification_token: str = "contoso-sandbox-verification"
    scopes: tuple[str, ...] = ("commands", "chat:write", "chat:write.public")
    app_scopes: tuple[str, ...] = ("connections:write",)
    commands: tuple[SlashCommand, ...] = (PROVISION,)


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that a reset goes back to."""

    team_id: str
    team_name: str
    team_domain: str
    app: App
    users: tuple[User, ...]
    channels: tuple[Channel, ...]
    user_groups: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def with_scopes(self, *scopes: str) -> Seed:
        """Give the bot token exactly these scopes."""
        return replace(self, app=replace(self.app, scopes=scopes))


def contoso() -> Seed:
    """Build the default workspace."""
    app = App()
    people = (
        User("U0MARIA", "maria", "Maria Jimenez", "Identity administrator"),
        User("U0ADAM", "adam", "Adam Novak", "Identity administrator"),
        User("U0HENRY", "henry", "Henry Okafor", "Help desk"),
        User("U0VERA", "vera", "Vera Lindqvist", "Auditor"),
        User("U0STELLA", "stella", "Stella Moreau", "No rights here"),
    )
    everybody = frozenset(person.id for person in people)
    bot = User(app.bot_user, "fourcheck", app.name, "App", is_bot=True)
    channels = (
        Channel("C0IDENTITY", "identity", "public", everybody | {bot.id}),
        Channel("C0GENERAL", "general", "public", everybody),
        Channel("C0PRIVATE", "people-team", "private", frozenset({"U0MARIA", "U0HENRY", "U0STELLA"})),
        Channel("C0ARCHIVE", "identity-2019", "public", everybody | {bot.id}, is_archived=True),
        *(
            Channel(
                "D0" + person.id.removeprefix("U0"), person.name, "direct", frozenset({person.id, bot.id})
            )
            for person in people
        ),
        Channel("D0MARIAADAM", "maria and adam", "direct", frozenset({"U0MARIA", "U0ADAM"})),
    )
    return Seed(
        team_id="T0CONTOSO",
        team_name="Contoso",
        team_domain="contoso",
        app=app,
        users=(*people, bot),
        channels=channels,
        user_groups={"S0IDENTITY": ("U0MARIA", "U0ADAM")},
    )
