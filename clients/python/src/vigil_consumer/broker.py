"""The connection to RabbitMQ, in a thread of its own: heartbeats are served however long a detector computes."""
from __future__ import annotations

import random
import ssl
import threading
from collections import deque
from typing import Any, Callable, Deque, List, NamedTuple, Optional, Set, Tuple

import pika
from pika.exceptions import (
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelClosedByBroker,
    ConnectionClosedByBroker,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
)

from .errors import ConsumerError, text_of
from .servers import AmqpServer, Endpoints, Host, amqp_server, redact, url_of
from .task import Message, Session, message_of
from .turns import back_off_ms

CONNECT_S = 5
_TICK_S = 0.5
_REFUSALS = (AuthenticationError, ProbableAuthenticationError, ProbableAccessDeniedError)


class BrokerEvents(NamedTuple):
    """What the connection's thread calls; none may block or raise."""

    on_delivery: Callable[[Message], None]
    wanted: Callable[[int], int]
    """Given what the broker was last asked for: how many deliveries are wanted unsettled now."""
    on_subscribed: Callable[[], None]
    """There is a subscription; called often."""
    on_lost: Callable[[Session], None]
    """The session is over: what came over it comes again."""
    on_fault: Callable[[ConsumerError], None]


class _Settlement(NamedTuple):
    session: Session
    tag: int
    how: str
    delay_s: float


def connect(server: AmqpServer, host: Host, name: str, ca_file: Optional[str]) -> Any:
    """Opens a connection to one host. Raises what pika raises."""
    context = ssl.create_default_context(cafile=ca_file) if server.tls else None
    parameters = pika.ConnectionParameters(
        host=host[0],
        port=host[1],
        virtual_host=server.vhost,
        credentials=pika.PlainCredentials(server.username, server.password),
        heartbeat=server.heartbeat_s,
        socket_timeout=CONNECT_S,
        stack_timeout=2 * CONNECT_S,
        blocked_connection_timeout=CONNECT_S,
        ssl_options=None if context is None else pika.SSLOptions(context, host[0]),
        client_properties={"connection_name": name},
    )
    return pika.BlockingConnection(parameters)


class Broker(threading.Thread):
    """Consumes one queue until :meth:`stop`. It reconnects for as long as it runs."""

    def __init__(self, endpoints: Endpoints, queue: str, ca_file: Optional[str], events: BrokerEvents) -> None:
        super().__init__(name=f"vigil consumer of {queue}", daemon=True)
        self._endpoints = endpoints
        self._queue = queue
        self._ca_file = ca_file
        self._events = events
        self._settlements: Deque[_Settlement] = deque()
        self._connection: Any = None
        self._stopping = threading.Event()
        self._failed_hosts: List[Host] = []
        self._attempt = 0
        self._cancelled = False
        # Deliveries of the current subscription.
        self._unsettled: Set[int] = set()

    def settle(self, message: Message, how: str, delay_s: float = 0) -> None:
        """``ack``, ``requeue`` or ``reject``. Of a session that is over, the broker has taken the message back itself."""
        self._settlements.append(_Settlement(message.session, message.tag, how, delay_s))
        self.wake()

    def wake(self) -> None:
        """The number of wanted deliveries may have changed. From any thread; never raises."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.add_callback_threadsafe(lambda: None)
        except AMQPError:
            # It is over, which its own thread finds too.
            pass

    def healthy(self) -> None:
        """A frame is finished: the next connection is tried at once."""
        self._attempt = 0

    def stop(self) -> None:
        """Settles the remaining messages, closes the connection, ends the thread."""
        self._stopping.set()
        self.wake()

    def run(self) -> None:
        while not self._stopping.is_set():
            self._attempt += 1
            session = Session()
            try:
                self._consume(session)
            except ConsumerError as error:
                self._report(error)
            except (AMQPError, OSError, ValueError) as error:
                self._report(self._fault(error, None))
            finally:
                session.is_over = True
                self._settlements.clear()
                self._events.on_lost(session)
            self._stopping.wait(back_off_ms(200, 2000, self._attempt, random.random()) / 1000)

    def _report(self, error: ConsumerError) -> None:
        if not self._stopping.is_set():
            self._events.on_fault(error)

    def _consume(self, session: Session) -> None:
        server = amqp_server(url_of(self._endpoints, "amqp"))
        connection, host = self._connect(server)
        self._connection = connection
        try:
            self._serve(session, connection)
        except (AMQPError, OSError, ValueError) as error:
            self._leave(host)
            raise self._fault(error, server) from error
        finally:
            self._connection = None
            close_connection(connection)

    def _connect(self, server: AmqpServer) -> Tuple[Any, Host]:
        """The hosts in turn, beginning with those that did not fail lately."""
        problem: Optional[BaseException] = None
        for host in sorted(server.hosts, key=lambda one: self._failed_hosts.index(one) if one in self._failed_hosts else -1):
            if self._stopping.is_set():
                break
            try:
                return connect(server, host, self.name, self._ca_file), host
            except (AMQPError, OSError, ValueError) as error:
                self._leave(host)
                problem = error
        raise self._fault(problem or AMQPConnectionError("given up before connecting"), server)

    def _leave(self, host: Host) -> None:
        if host in self._failed_hosts:
            self._failed_hosts.remove(host)
        self._failed_hosts.append(host)

    def _serve(self, session: Session, connection: Any) -> None:
        channel = connection.channel()
        self._cancelled = False
        channel.add_on_cancel_callback(self._on_cancel)
        asked, consumer_tag = 0, ""
        while True:
            if self._cancelled:
                raise self._missing("it was deleted")
            is_stopping = self._stopping.is_set()
            wanted = 0 if is_stopping else self._events.wanted(asked)
            # pika rejects what is on its way to a subscription that ends, which costs those frames a delivery: while all
            # that was asked for is here, nothing is. Settling lets the next ones come, so it follows.
            if wanted != asked and (is_stopping or len(self._unsettled) >= asked):
                if consumer_tag:
                    channel.basic_cancel(consumer_tag)
                asked, consumer_tag = wanted, self._subscribe(session, channel, wanted)
            if consumer_tag:
                self._events.on_subscribed()
            self._flush(session, channel, connection)
            if is_stopping and not self._settlements:
                return
            connection.process_data_events(time_limit=_TICK_S)

    def _subscribe(self, session: Session, channel: Any, wanted: int) -> str:
        self._unsettled.clear()
        if wanted == 0:
            return ""
        # RabbitMQ applies it to consumers that begin afterwards; quorum queues refuse a limit for a whole channel.
        channel.basic_qos(prefetch_count=wanted)

        def receive(_channel: Any, method: Any, properties: Any, body: bytes) -> None:
            self._unsettled.add(method.delivery_tag)
            self._events.on_delivery(message_of(session, method, properties, body))

        return str(channel.basic_consume(self._queue, receive))

    def _on_cancel(self, _frame: Any) -> None:
        self._cancelled = True

    def _flush(self, session: Session, channel: Any, connection: Any) -> None:
        while self._settlements:
            one = self._settlements.popleft()
            if one.session is not session:
                continue
            if one.delay_s > 0 and not self._stopping.is_set():
                later = _Settlement(session, one.tag, one.how, 0)
                connection.call_later(one.delay_s, lambda later=later: self._settlements.append(later))
                continue
            self._unsettled.discard(one.tag)
            if one.how == "ack":
                channel.basic_ack(one.tag)
            else:
                channel.basic_nack(one.tag, requeue=one.how == "requeue")

    def _missing(self, text: str) -> ConsumerError:
        return ConsumerError("queue-missing", f"rabbitmq has no queue {self._queue} ({text}); waiting for it to be declared")

    def _fault(self, error: BaseException, server: Optional[AmqpServer]) -> ConsumerError:
        if isinstance(error, ConsumerError):
            return error
        text = redact(_text(error), server.password if server is not None else None)
        if isinstance(error, ChannelClosedByBroker) and error.reply_code == 404:
            return self._missing(text)
        refused = isinstance(error, _REFUSALS) or (
            isinstance(error, (ChannelClosedByBroker, ConnectionClosedByBroker)) and error.reply_code in (403, 530)
        )
        return ConsumerError("rabbitmq-refused" if refused else "rabbitmq-unreachable", f"rabbitmq: {text}")


def _text(error: BaseException) -> str:
    """pika wraps a failure in up to three exceptions, whose texts are those of objects."""
    inner: Any = error
    while getattr(inner, "args", None) and isinstance(inner.args[0], BaseException):
        inner = inner.args[0]
    exceptions = getattr(inner, "exception", None) or getattr(inner, "exceptions", None)
    if isinstance(exceptions, BaseException):
        inner = exceptions
    text = text_of(inner)
    return text if text != repr(inner) else type(inner).__name__


def close_connection(connection: Any) -> None:
    try:
        if connection.is_open:
            connection.close()
    except (AMQPError, OSError, ValueError):
        # It has gone, which is what is wanted.
        pass
