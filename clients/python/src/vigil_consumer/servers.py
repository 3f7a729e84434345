"""Where the servers are: endpoints.json and its URLs, every form that Vigil writes. No connection is opened here."""
from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import Callable, List, Mapping, Optional, Tuple, Union
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from .errors import ConsumerError, text_of

Endpoints = Union[str, "os.PathLike[str]", Mapping[str, str], Callable[[], Mapping[str, str]]]
"""The path of endpoints.json, its content, or a function that returns it. Paths and functions are asked before every
connection: embedded servers have new passwords after each start of the daemon."""

AMQP_SCHEMES = ("amqp", "amqps")
REDIS_SCHEMES = ("redis", "rediss", "redis-sentinel", "rediss-sentinel", "redis-cluster", "rediss-cluster")
_SEVERAL_HOSTS = re.compile(r"(amqps?|rediss?-(sentinel|cluster))")
_HEARTBEAT_S = 10

Host = Tuple[str, int]


@dataclass(frozen=True)
class AmqpServer:
    """A broker, or the hosts of one cluster, which are tried in turn."""

    hosts: Tuple[Host, ...]
    tls: bool
    username: str
    password: str
    vhost: str
    heartbeat_s: int


@dataclass(frozen=True)
class RedisServer:
    """``kind`` is ``server``, ``sentinel`` or ``cluster``."""

    kind: str
    hosts: Tuple[Host, ...]
    tls: bool
    username: Optional[str]
    password: Optional[str]
    db: int = 0
    master: str = "mymaster"
    sentinel_username: Optional[str] = None
    sentinel_password: Optional[str] = None


def url_of(endpoints: Endpoints, name: str) -> str:
    """``amqp`` or ``redis`` of ``endpoints``. Raises a ConsumerError ``endpoints-unreadable``.

    >>> url_of({"amqp": "amqp://127.0.0.1/", "redis": "redis://127.0.0.1/"}, "redis")
    'redis://127.0.0.1/'
    """
    where = "endpoints"
    try:
        if callable(endpoints):
            content: Mapping[str, str] = endpoints()
        elif isinstance(endpoints, (str, os.PathLike)):
            where = os.fspath(endpoints)
            with open(endpoints, encoding="utf-8") as file:
                content = json.load(file)
        else:
            content = endpoints
        url = content[name]
    except OSError as error:
        raise ConsumerError("endpoints-unreadable", f"{where} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError):
        raise ConsumerError("endpoints-unreadable", f'{where} has no "{name}"; expected endpoints.json of Vigil') from None
    except Exception as error:
        raise ConsumerError("endpoints-unreadable", f"{where}: {text_of(error)}") from error
    if not isinstance(url, str):
        raise ConsumerError("endpoints-unreadable", f'{where}: "{name}" is not text')
    return url


def hosts_of(url: str) -> List[str]:
    """A URL for every host that ``url`` names, otherwise the same.

    >>> hosts_of("amqp://a:b@one,two:5673/x")
    ['amqp://a:b@one/x', 'amqp://a:b@two:5673/x']
    """
    match = re.fullmatch(r"([a-z][a-z0-9+.-]*)://(?:([^/?#]*)@)?([^/?#@]+)([/?#].*)?", url, re.I | re.S)
    if match is None or _SEVERAL_HOSTS.fullmatch(match[1].lower()) is None:
        return [url]
    scheme, user, hosts, rest = match.groups()
    before = f"{scheme}://" + (f"{user}@" if user is not None else "")
    return [before + host + (rest or "") for host in hosts.split(",")]


def amqp_server(url: str) -> AmqpServer:
    """Reads an ``amqp`` URL. Raises a ConsumerError ``invalid-option`` that does not repeat it.

    >>> amqp_server("amqps://a:b%40@one,two:5673/%2Fx")
    AmqpServer(hosts=(('one', 5671), ('two', 5673)), tls=True, username='a', password='b@', vhost='/x', heartbeat_s=10)
    """
    first, hosts, query = _read(url, "amqp", AMQP_SCHEMES)
    tls = first.scheme == "amqps"
    try:
        heartbeat_s = int(query.get("heartbeat", _HEARTBEAT_S))
    except ValueError:
        raise ConsumerError("invalid-option", "amqp: heartbeat is not a number of seconds") from None
    return AmqpServer(
        hosts=tuple((host, port or (5671 if tls else 5672)) for host, port in hosts),
        tls=tls,
        username=unquote(first.username or "") or "guest",
        password=unquote(first.password or "") or ("" if first.username else "guest"),
        vhost=unquote(first.path[1:]) or "/",
        heartbeat_s=heartbeat_s,
    )


def redis_server(url: str) -> RedisServer:
    """Reads a ``redis`` URL. Raises a ConsumerError ``invalid-option`` that does not repeat it.

    >>> redis_server("rediss-sentinel://:p@a,b:26380/3?name=main").hosts
    (('a', 26379), ('b', 26380))
    >>> redis_server("redis://u:p@127.0.0.1/2").db
    2
    """
    first, hosts, query = _read(url, "redis", REDIS_SCHEMES)
    scheme, _, kind = first.scheme.partition("-")
    kind = kind or "server"
    try:
        db = 0 if kind == "cluster" else int(first.path.strip("/") or query.get("db", "0"))
    except ValueError:
        raise ConsumerError("invalid-option", "redis: the database in the URL is not a number") from None
    return RedisServer(
        kind=kind,
        hosts=tuple((host, port or (26379 if kind == "sentinel" else 6379)) for host, port in hosts),
        tls=scheme == "rediss",
        username=unquote(first.username or "") or None,
        password=unquote(first.password or "") or None,
        db=db,
        master=query.get("name", "mymaster"),
        sentinel_username=query.get("sentinelUsername") or None,
        sentinel_password=query.get("sentinelPassword") or None,
    )


def redact(text: str, password: Optional[str]) -> str:
    """A library's text without the password.

    >>> redact("cannot log in with secret", "secret")
    'cannot log in with ***'
    """
    return text.replace(password, "***") if password else text


def _read(
    url: str, name: str, schemes: Tuple[str, ...]
) -> Tuple[SplitResult, List[Tuple[str, Optional[int]]], Mapping[str, str]]:
    try:
        urls = [urlsplit(each) for each in hosts_of(url)]
        hosts = [(each.hostname or "", each.port) for each in urls]
    except ValueError:
        raise ConsumerError(
            "invalid-option", f"{name}: cannot be read as a URL; percent-encode the user and the password in it"
        ) from None
    if urls[0].scheme not in schemes or any(host == "" for host, _ in hosts):
        expected = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ConsumerError("invalid-option", f"{name}: expected a URL that begins with {expected} and has a host")
    query = {key: values[0] for key, values in parse_qs(urls[0].query).items()}
    return urls[0], hosts, query
