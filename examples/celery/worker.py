"""A detection service as a Celery task. In actors.json: "consumers": { "plates": { "protocol": "celery" } }. Run it with

PYTHONPATH=clients/python/src:examples/celery celery -A worker worker --without-gossip --without-mingle --without-heartbeat
"""
from celery import Celery
from celeryconfig import ENDPOINTS, QUEUE
from vigil_consumer import Pictures

app = Celery("plates", config_source="celeryconfig")
pictures = Pictures(ENDPOINTS, QUEUE)


def look(picture):
    """Your detection goes here."""
    # One text: Celery logs each argument of a print by itself.
    print(f"{picture.announcement.camera} {picture.announcement.time} {len(picture.data)} bytes")


@app.task(name="detect.frame", bind=True)
def detect(self, event):
    redelivered = bool((self.request.delivery_info or {}).get("redelivered"))
    with pictures.open(event, redelivered) as picture:
        # None: it has expired, or this service's work on it is done.
        if picture is not None:
            look(picture)
