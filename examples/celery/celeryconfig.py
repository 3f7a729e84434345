"""What a Celery worker needs to take frames from a queue of Vigil's. Written for Celery 5.2 to 5.5."""
import json
import os
from urllib.parse import quote

from kombu import Queue
from kombu.transport.pyamqp import Transport
from vigil_consumer.servers import amqp_server

QUEUE = os.environ.get("VIGIL_QUEUE", "vigil.plates")
ENDPOINTS = os.environ.get("VIGIL_ENDPOINTS", "data/endpoints.json")

with open(ENDPOINTS, encoding="utf-8") as file:
    _server = amqp_server(json.load(file)["amqp"])
# One URL for each host: of several, Celery tries the next when one is lost.
broker_url = [
    f"{'amqps' if _server.tls else 'amqp'}://{quote(_server.username, safe='')}:{quote(_server.password, safe='')}"
    f"@{host}:{port}/{quote(_server.vhost, safe='')}"
    for host, port in _server.hosts
]

# Vigil has declared the queue.
task_queues = [Queue(QUEUE, no_declare=True)]
task_default_queue = QUEUE
task_create_missing_queues = False
# A task that dies with its worker is done by another one, up to "deliveryLimit"; one that raises becomes a dead letter.
task_acks_late = True
task_reject_on_worker_lost = True
task_acks_on_failure_or_timeout = False
worker_prefetch_multiplier = 1
task_ignore_result = True
accept_content = ["json"]
# Control messages take queues of their own, which Vigil's user may not declare.
worker_enable_remote_control = False

# Quorum queues refuse a prefetch for a whole channel ("540 global qos"). Celery 5.5 sees to that itself.
worker_detect_quorum_queues = True
Transport.qos_semantics_matches_spec = lambda self, connection: True
