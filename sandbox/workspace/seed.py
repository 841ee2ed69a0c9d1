"""The contoso workspace as it is before anything happens: one team, its people, its channels, one app."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

ChannelKind = Literal["public", "private", "direct"]


@dataclass(frozen=True, slots=True)
class User:
    """A member of the workspace; `title` is what the person does there, `email` is in lower case."""

    id: str
    name: str
    real_name: str
    title: str = ""
    is_bot: bool = False
    is_admin: bool = False
    is_guest: bool = False
    email: str = ""


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
    "[preview | history] <identifier> [with <configuration>] | help",
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
    is_paid: bool = True

    def with_scopes(self, *scopes: str) -> Seed:
        """Give the bot token exactly these scopes."""
        return replace(self, app=replace(self.app, scopes=scopes))

    def on_a_free_plan(self) -> Seed:
        """Take away what only paid plans have: user groups."""
        return replace(self, is_paid=False)


def contoso() -> Seed:
    """Build the default workspace."""
    app = App()
    people = (
        _member("maria", "Maria Jimenez", "Identity administrator", is_admin=True),
        _member("adam", "Adam Novak", "Identity administrator"),
        _member("henry", "Henry Okafor", "Help desk"),
        _member("vera", "Vera Lindqvist", "Auditor"),
        _member("stella", "Stella Moreau", "No rights here"),
        _member("noor", "Noor Haddad", "Guest of another company", is_guest=True),
    )
    everybody = frozenset(person.id for person in people)
    employees = frozenset(person.id for person in people if not person.is_guest)
    bot = User(app.bot_user, "fourcheck", app.name, "App", is_bot=True)
    channels = (
        Channel("C0IDENTITY", "identity", "public", everybody | {bot.id}),
        Channel("C0GENERAL", "general", "public", employees),
        Channel("C0PRIVATE", "people-team", "private", frozenset({"U0MARIA", "U0HENRY", "U0STELLA"})),
        Channel("C0ARCHIVE", "identity-2019", "public", employees | {bot.id}, is_archived=True),
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


def _member(name: str, real_name: str, title: str, *, is_admin: bool = False, is_guest: bool = False) -> User:
    domain = "fabrikam.test" if is_guest else "contoso.test"
    return User(
        "U0" + name.upper(),
        name,
        real_name,
        title,
        is_admin=is_admin,
        is_guest=is_guest,
        email=f"{name}@{domain}",
    )
