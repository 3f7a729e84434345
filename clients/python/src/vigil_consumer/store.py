"""Access to Redis: one server, the primary that Sentinels name, or a Cluster. Thread-safe; reconnects when asked again."""
from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Dict, Optional

import redis
from redis import cluster
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    ConnectionError as RedisConnectionError,
    MasterDownError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError as RedisTimeoutError,
)
from redis.retry import Retry

from .errors import ConsumerError, text_of
from .keys import done_key
from .sharing import SHARE_SCRIPT, Share
from .servers import Endpoints, Host, RedisServer, redact, redis_server, url_of

SILENCE_S = 5
"""The longest a stalled Redis can hold a frame up."""
SENTINEL_S = 1
"""A Sentinel answers in milliseconds."""
_SURE_S = 0.5
"""A missing picture is looked for again, unless the connection is this new: a replaced primary does not know of it."""
_AWAY = (RedisConnectionError, RedisTimeoutError, OSError, ReadOnlyError, BusyLoadingError, MasterDownError,
         ClusterDownError, RedisClusterException)

# It logs a traceback for each node that it cannot reach; programs that set logging up still get to see it.
logging.getLogger("redis.cluster").addHandler(logging.NullHandler())

# RedisClusterException is no RedisError.
_ERRORS = (RedisError, RedisClusterException, OSError)


class Store:
    """Pictures by their keys. Every method raises a ConsumerError: ``redis-unreachable``, ``redis-refused`` or ``invalid-message``."""

    def __init__(self, endpoints: Endpoints, name: str, ca_file: Optional[str]) -> None:
        self._endpoints = endpoints
        self._name = name
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._client: Any = None
        self._kind = "server"
        self._opened_s = 0.0
        self._password: Optional[str] = None
        self._turn = 0

    def retrieve(self, key: str, remove: bool, share: Optional[Share] = None) -> Optional[bytes]:
        """The value of ``key``, None when it has gone; ``remove`` takes it out in the same step (GETDEL).

        :param share: of a frame that other services must have too: None also when this one is done with it
        """

        def get(client: Any) -> Any:
            if share is not None:
                return _in_share(client, "take" if remove else "get", key, share)
            return client.getdel(key) if remove else client.get(key)

        value = self._run(get)
        if value is None and self._kind != "server" and time.monotonic() - self._opened_s > _SURE_S:
            # The primary that was asked may have been replaced, and not have noticed.
            self.close()
            value = self._run(get)
        return None if value is None else bytes(value)

    def remove(self, key: str, share: Optional[Share] = None) -> None:
        """A shared frame is removed when the others are done with it."""
        self._run(lambda client: client.unlink(key) if share is None else _in_share(client, "done", key, share))

    def text(self, key: str) -> Optional[str]:
        """The text of a key; None when it has none."""
        value = self._run(lambda client: client.get(key))
        return None if value is None else bytes(value).decode("utf-8", "replace")

    def ping(self) -> None:
        """Opens the connection where there is none."""
        self._run(lambda client: client.ping())

    def close(self) -> None:
        """Never raises."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            _close(client)

    def _run(self, command: Callable[[Any], Any]) -> Any:
        client, is_new = self._open()
        try:
            return command(client)
        except _AWAY as error:
            self._drop(client)
            if is_new:
                raise self._fault(error) from error
        except _ERRORS as error:
            raise self._fault(error) from error
        # A connection that had been idle may have ended long ago: that is no outage.
        client, _ = self._open()
        try:
            return command(client)
        except _ERRORS as error:
            if isinstance(error, _AWAY):
                self._drop(client)
            raise self._fault(error) from error

    def _open(self) -> "tuple[Any, bool]":
        with self._lock:
            if self._client is not None:
                return self._client, False
            server = redis_server(url_of(self._endpoints, "redis"))
            self._password = server.password
            try:
                client = self._connect(server)
            except _ERRORS as error:
                raise self._fault(error) from error
            self._client, self._kind, self._opened_s = client, server.kind, time.monotonic()
            return client, True

    def _drop(self, client: Any) -> None:
        with self._lock:
            if self._client is not client:
                return
            self._client = None
        _close(client)

    def _connect(self, server: RedisServer) -> Any:
        options = self._options(server.tls, server.username, server.password)
        if server.kind == "cluster":
            # Each try begins with another host.
            hosts = self._rotated(server.hosts)
            # redis 4.3 would drop this option, and take any host's certificate for a node's.
            allowed = getattr(cluster, "REDIS_ALLOWED_KEYS", None)
            if allowed is not None and "ssl_check_hostname" not in allowed:
                cluster.REDIS_ALLOWED_KEYS = (*allowed, "ssl_check_hostname")
            nodes = [cluster.ClusterNode(host, port) for host, port in hosts]
            try:
                return cluster.RedisCluster(
                    startup_nodes=nodes, cluster_error_retry_attempts=1, require_full_coverage=False, **options
                )
            except RedisClusterException as error:
                raise _reason(hosts, options) or error
        host, port = self._primary(server) if server.kind == "sentinel" else server.hosts[0]
        client = redis.Redis(host=host, port=port, db=server.db, **options)
        try:
            if server.kind == "sentinel" and client.execute_command("ROLE")[0] != b"master":
                raise RedisConnectionError(f"{host}:{port} is named as primary by a Sentinel and is none yet")
            client.ping()
        except BaseException:
            _close(client)
            raise
        return client

    def _primary(self, server: RedisServer) -> Host:
        problem: Exception = RedisConnectionError("no Sentinel was asked")
        options = self._options(server.tls, server.sentinel_username, server.sentinel_password)
        options.update(socket_timeout=SENTINEL_S, socket_connect_timeout=SENTINEL_S)
        for host, port in self._rotated(server.hosts):
            sentinel = redis.Redis(host=host, port=port, **options)
            try:
                address = sentinel.execute_command("SENTINEL GET-MASTER-ADDR-BY-NAME", server.master)
                if address is not None:
                    name, number = address
                    return _text(name), int(number)
                problem = RedisConnectionError(f"Sentinel {host}:{port} knows no primary named {server.master}")
            except _ERRORS as error:
                problem = error
            finally:
                _close(sentinel)
        raise problem

    def _rotated(self, hosts: "tuple[Host, ...]") -> "list[Host]":
        first = self._turn % len(hosts)
        self._turn += 1
        return [*hosts[first:], *hosts[:first]]

    def _options(self, tls: bool, username: Optional[str], password: Optional[str]) -> Dict[str, Any]:
        options: Dict[str, Any] = {
            "username": username,
            "password": password,
            "client_name": self._name,
            "socket_timeout": SILENCE_S,
            "socket_connect_timeout": SILENCE_S,
            # A command that cannot be answered now fails at once, without retries; the caller decides what to do.
            "retry": Retry(NoBackoff(), 0),
        }
        if tls:
            options.update(ssl=True, ssl_check_hostname=True, ssl_ca_certs=self._ca_file)
        return options

    def _fault(self, error: BaseException) -> ConsumerError:
        text = redact(text_of(error), self._password)
        if isinstance(error, (AuthenticationError, AuthorizationError)):
            return ConsumerError("redis-refused", f"redis refused: {text}")
        if isinstance(error, _AWAY):
            return ConsumerError("redis-unreachable", f"redis: {text}")
        if isinstance(error, ResponseError) and "WRONGTYPE" in text:
            return ConsumerError("invalid-message", "the announced key holds no picture: Redis answered WRONGTYPE")
        return ConsumerError("redis-refused", f"redis refused: {text}")


def _in_share(client: Any, how: str, key: str, share: Share) -> Any:
    return client.eval(SHARE_SCRIPT, 2, key, done_key(key), how, share.queue, *share.required)


def _reason(hosts: "list[Host]", options: Dict[str, Any]) -> Optional[Exception]:
    """Why the last of the nodes cannot be used: a Cluster's client only logs it."""
    found: Optional[Exception] = None
    for host, port in hosts:
        node = redis.Redis(host=host, port=port, **options)
        try:
            node.ping()
        except _ERRORS as error:
            found = error
        finally:
            _close(node)
    return found


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _close(client: Any) -> None:
    try:
        client.close()
        pool = getattr(client, "connection_pool", None)
        if pool is not None:
            pool.disconnect()
    except (*_ERRORS, AttributeError):
        # It has gone, which is what is wanted.
        pass
