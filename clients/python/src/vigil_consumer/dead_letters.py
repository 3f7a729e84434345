"""Puts failed messages into the dead-letter queue with the reason in their headers."""
from __future__ import annotations

from typing import Any, Optional

import pika
from pika.exceptions import AMQPError

from .broker import close_connection, connect
from .errors import ConsumerError
from .servers import Endpoints, amqp_server, url_of
from .task import Message

REASON_HEADER = "x-vigil-reason"
CODE_HEADER = "x-vigil-code"
MAX_REASON_CHARS = 1000


class DeadLetters:
    """A connection of its own for each: a broker that is short of memory stops reading from connections that publish."""

    def __init__(self, endpoints: Endpoints, queue: str, ca_file: Optional[str]) -> None:
        self._endpoints = endpoints
        self._queue = queue
        self._ca_file = ca_file

    def put(self, message: Message, code: str, reason: str) -> bool:
        """True when the broker has confirmed it. Otherwise the caller rejects the message, and RabbitMQ moves it without
        a reason. Never raises."""
        try:
            server = amqp_server(url_of(self._endpoints, "amqp"))
            connection = connect(server, server.hosts[0], f"vigil dead letters of {self._queue}", self._ca_file)
        except (ConsumerError, AMQPError, OSError, ValueError):
            return False
        try:
            self._publish(connection.channel(), message, code, reason)
            return True
        except (AMQPError, OSError, ValueError):
            return False
        finally:
            close_connection(connection)

    def _publish(self, channel: Any, message: Message, code: str, reason: str) -> None:
        exchange = f"{self._queue}.dead"
        channel.exchange_declare(exchange, passive=True)
        channel.confirm_delivery()
        properties = pika.BasicProperties(
            content_type=message.content_type,
            message_id=message.message_id,
            delivery_mode=2,
            headers={**message.headers, CODE_HEADER: code, REASON_HEADER: reason[:MAX_REASON_CHARS]},
        )
        channel.basic_publish(exchange, message.routing_key, message.body, properties, mandatory=True)
