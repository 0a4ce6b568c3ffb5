"""`hippocortex keys`: who may call the server, and how much."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hippocortex.cli.describe import clean
from hippocortex.cli.options import AsJson
from hippocortex.cli.output import console, count, emit, table
from hippocortex.cli.stores import Store, require_server, store_url
from hippocortex_core.errors import NotFoundError

if TYPE_CHECKING:
    from hippocortex_server.keys import KeyInfo

app = typer.Typer(rich_markup_mode=None)

Tenant = Annotated[
    str, typer.Option("--tenant", metavar="T", help="Whose memory it is; default: default.")
]
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


@app.callback(invoke_without_command=True)
def keys(ctx: typer.Context) -> None:
    """Make, list and revoke API keys of a server; set quotas."""
    if ctx.invoked_subcommand is None:
        print(ctx.get_help())


@app.command("create")
def create(
    ctx: typer.Context,
    tenant: Tenant = "default",
    scope: Annotated[
        str,
        typer.Option("--scope", metavar="LIST", help="Of read, write, admin; default read,write."),
    ] = "read,write",
    test: Annotated[bool, typer.Option("--test", help="A key that reads hx_test_….")] = False,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="Shown in lists.")] = "",
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="TIME", help="Works so long: 90m, 12h, 30d, 4w."),
    ] = None,
    rate_limit: Annotated[
        int | None,
        typer.Option(
            "--rate-limit", min=1, metavar="N", help="Requests a minute; default the server's."
        ),
    ] = None,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key; it is shown this once."""
    require_server("keys")
    from hippocortex_server.keys import Keyring  # noqa: PLC0415
    from hippocortex_server.opening import opened  # noqa: PLC0415

    expires_at = None if expires is None else now() + _duration(expires)
    scopes = [word for word in re.split(r"[\s,]+", scope) if word]
    with opened(store_url(ctx, store)) as database:
        made = Keyring(database).create(
            tenant, scopes, name=name, test=test, rate_limit=rate_limit, expires_at=expires_at
        )
    if as_json:
        emit({"key": made.secret, **_document(made.info)})
        return
    print(made.secret)
    info = made.info
    console(stderr=True).print(
        f"{info.key_id}: {', '.join(info.scopes)} for tenant {clean(info.tenant_id)!r}."
        " The key is shown this once.",
        soft_wrap=True,
    )


@app.command("list")
def list_(
    ctx: typer.Context,
    tenant: Annotated[
        str | None, typer.Option("--tenant", metavar="T", help="Only this tenant's.")
    ] = None,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """List API keys, oldest first, also those that work no more."""
    require_server("keys")
    from hippocortex_server.keys import Keyring  # noqa: PLC0415
    from hippocortex_server.opening import opened  # noqa: PLC0415

    with opened(store_url(ctx, store)) as database:
        found = Keyring(database).list(tenant)
    if as_json:
        emit({"keys": [_document(one) for one in found]})
    else:
        _show(found)


@app.command("revoke")
def revoke(
    ctx: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `keys list` shows it.")],
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Let a key open nothing any more."""
    require_server("keys")
    if key_id.startswith("hx_"):  # what is secret is not repeated
        raise typer.BadParameter("that is a key, not its id; `hippocortex keys list` shows the ids")
    from hippocortex_server.authentication import FRESH  # noqa: PLC0415
    from hippocortex_server.keys import Keyring  # noqa: PLC0415
    from hippocortex_server.opening import opened  # noqa: PLC0415

    with opened(store_url(ctx, store)) as database:
        keyring = Keyring(database)
        changed = keyring.revoke(key_id)
        info = keyring.get(key_id)
    if info is None:
        raise NotFoundError(f"there is no key {key_id!r}; `hippocortex keys list` shows them")
    if changed:
        time.sleep(FRESH)  # so long a server believes what it has looked up
    if as_json:
        emit(_document(info))
    else:
        print(f"{key_id} is revoked; no server accepts it any more.")


@app.command("quota")
def quota(
    ctx: typer.Context,
    events: Annotated[
        str,
        typer.Option("--events-per-month", metavar="N|none", help="Events a calendar month (UTC)."),
    ],
    tenant: Tenant = "default",
    plan: Annotated[str | None, typer.Option("--plan", metavar="NAME", help="Its name.")] = None,
    store: Store = None,
    as_json: AsJson = False,
) -> None:
    """Limit what a tenant may capture in a calendar month."""
    require_server("keys")
    from hippocortex_server.opening import opened  # noqa: PLC0415
    from hippocortex_server.quotas import set_quota  # noqa: PLC0415

    limit = _events(events)
    with opened(store_url(ctx, store)) as database:
        set_quota(database, tenant, limit, plan)
    if as_json:
        emit({"tenantId": tenant, "eventsLimit": limit})
    elif limit is None:
        print(f"tenant {clean(tenant)!r} has no quota")
    else:
        print(f"tenant {clean(tenant)!r} may capture {count(limit, 'event')} a month")


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def _duration(text: str) -> int:
    match = re.fullmatch(r"([1-9]\d{0,5})([mhdw])", text.strip())
    if match is None:
        raise typer.BadParameter(f"--expires: {text!r} is not a time such as 90m, 12h, 30d or 4w")
    return int(match[1]) * _UNITS[match[2]]


def _events(text: str) -> int | None:
    if text.strip().lower() == "none":
        return None
    digits = text.replace(",", "").replace("_", "")
    if not re.fullmatch(r"\d{1,15}", digits):
        raise typer.BadParameter(f"--events-per-month: {text!r} is neither a number nor `none`")
    return int(digits)


def _document(info: KeyInfo) -> dict[str, Any]:
    return {
        "keyId": info.key_id,
        "tenantId": info.tenant_id,
        "name": info.name,
        "hint": info.hint,
        "scopes": list(info.scopes),
        "status": info.status(now()),
        "rateLimit": info.rate_limit,
        "createdAt": _iso(info.created_at),
        "expiresAt": _iso(info.expires_at),
        "revokedAt": _iso(info.revoked_at),
    }


def _iso(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    from hippocortex_engine.times import moment  # noqa: PLC0415

    return moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _show(found: list[KeyInfo]) -> None:
    out = console()
    if not found:
        out.print("No keys. `hippocortex keys create` makes one.")
        return
    whole = {"no_wrap": True}  # to be copied
    made = table(
        ("key", whole), ("begins with", whole), "tenant", "scopes", "status", "created", "name"
    )
    for one in found:
        made.add_row(
            one.key_id,
            f"{one.hint}…",
            clean(one.tenant_id),
            " ".join(one.scopes),
            one.status(now()),
            (_iso(one.created_at) or "")[:10],
            clean(one.name),
        )
    out.print(made)
