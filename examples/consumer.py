#!/usr/bin/python3
"""Consumes Vigil's frames: takes announcements off RabbitMQ and the announced pictures out of Redis.

Needs Debian's python3-pika and python3-redis, nothing else. Run it with the file in which the daemon names its servers:

    /usr/bin/python3 examples/consumer.py --endpoints data/endpoints.json --out /tmp/frames
"""
import argparse
import itertools
import json
import os
import re
import signal
import sys
import time

import pika
import redis

# <namespace>:frame:<camera>:<captured ms>:<width>x<height>:<format>. Messages come from outside: only a key of this
# form is looked up, and only a camera of this form becomes part of a path.
# h264 and h265 are keyframes as the camera sent them ("format": "keyframe"): one Annex B access unit each.
EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "h264": "h264", "h265": "h265"}
FRAME_KEY = re.compile(
    r"(?P<namespace>[A-Za-z0-9_-]{1,64}):frame:(?P<camera>[A-Za-z0-9_-]{1,64}):(?P<captured>[0-9]{1,15})"
    rf":(?P<width>[0-9]{{1,5}})x(?P<height>[0-9]{{1,5}}):(?P<format>{'|'.join(EXTENSIONS)})"
)


def parse_arguments():
    parser = argparse.ArgumentParser(description="Prints a line for every frame that Vigil announces.")
    parser.add_argument("queue", nargs="?", default="vigil.detection", help="default: %(default)s")
    parser.add_argument("--endpoints", required=True, metavar="FILE", help="endpoints.json of the daemon")
    parser.add_argument("--out", metavar="DIR", help="save the pictures there, one folder for each camera")
    parser.add_argument("--count", type=int, metavar="N", help="end after N frames")
    parser.add_argument("--latest", action="store_true", help="cameras in turn, of each only its newest frame")
    return parser.parse_args()


def read_key(body):
    """The frame key in an announcement as a match, or None if the message is no announcement."""
    try:
        event = json.loads(body)
        if event["type"] != "vigil.frame.sampled.v1":
            return None
        return FRAME_KEY.fullmatch(event["data"]["key"])
    except (ValueError, KeyError, TypeError):
        return None


def save(folder, key, picture):
    """Writes <folder>/<camera>/<captured ms>.<extension>, whole or not at all."""
    os.makedirs(os.path.join(folder, key["camera"]), exist_ok=True)
    path = os.path.join(folder, key["camera"], f"{key['captured']}.{EXTENSIONS[key['format']]}")
    with open(path + ".tmp", "wb") as file:
        file.write(picture)
    os.replace(path + ".tmp", path)


def work_on(key, picture, out):
    """Your detection goes here."""
    if out is not None:
        save(out, key, picture)
    captured = int(key["captured"])
    print(
        key["camera"],
        time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(captured // 1000)) + f".{captured % 1000:03d}",
        f"{key['width']}x{key['height']}",
        key["format"],
        f"{len(picture)} bytes",
        flush=True,
    )


def retrieve(store, key, out):
    """Takes a frame out of Redis and works on it. Returns how many frames were there: one, or none when it has expired."""
    picture = store.getdel(key.string)
    if picture is None:
        print(f"{key.string} has expired", file=sys.stderr)
        return 0
    work_on(key, picture, out)
    return 1


def consume(channel, store, arguments):
    """Works until --count frames are done; announcements it has not acknowledged go back to the queue.

    GETDEL gives a frame to one consumer, once. To be given it again after a crash, use GET here and UNLINK before
    basic_ack; where several services share a frame, use GET and let it expire.
    """
    done = 0
    # The next frames are on their way while this one is worked on.
    channel.basic_qos(prefetch_count=8)
    for method, _properties, body in channel.consume(arguments.queue):
        key = read_key(body)
        if key is None:
            print("not a frame announcement, rejected", file=sys.stderr)
            channel.basic_reject(method.delivery_tag, requeue=False)
            continue
        done += retrieve(store, key, arguments.out)
        channel.basic_ack(method.delivery_tag)
        if done == arguments.count:
            return
    sys.exit(f"consumer.py: the queue {arguments.queue} was deleted")


def consume_latest(connection, channel, store, arguments):
    """For work that is slower than the cameras: cameras take turns, each with its newest frame; others are passed over.

    What has been announced is taken off the queue at once, so that it never holds old frames; of each camera the newest
    waits here. The key <namespace>:latest:<camera> tells of frames whose announcements are still to come.
    """
    waiting = {}  # camera -> (delivery tag, key)
    turns = {}  # camera -> number of its last turn, counted when the turn was due
    due = {}  # camera -> (number of its turn, since when, capture time of its latest frame then)
    count = itertools.count(1)
    done = 0

    def receive(_channel, method, _properties, body):
        key = read_key(body)
        if key is None:
            channel.basic_reject(method.delivery_tag, requeue=False)
            return
        tag, other = waiting.get(key["camera"], (None, None))
        if other is not None and int(other["captured"]) > int(key["captured"]):
            drop(method.delivery_tag, key)
            return
        if other is not None:
            drop(tag, other)
        waiting[key["camera"]] = (method.delivery_tag, key)

    def drop(tag, key):
        store.unlink(key.string)
        channel.basic_ack(tag)

    def deleted(_frame):
        sys.exit(f"consumer.py: the queue {arguments.queue} was deleted")

    channel.add_on_cancel_callback(deleted)
    channel.basic_qos(prefetch_count=2000)
    channel.basic_consume(arguments.queue, receive)
    while done != arguments.count:
        connection.process_data_events(time_limit=0 if waiting else 0.1)
        if not waiting:
            continue
        camera = min(waiting, key=lambda each: turns.get(each, 0))
        tag, key = waiting.pop(camera)
        if camera not in due:
            latest = FRAME_KEY.fullmatch((store.get(f"{key['namespace']}:latest:{camera}") or b"").decode())
            due[camera] = (next(count), time.monotonic(), int(latest["captured"]) if latest else 0)
        turn, since, captured = due[camera]
        if captured > int(key["captured"]) and time.monotonic() - since < 2:
            drop(tag, key)
            continue
        del due[camera]
        done += retrieve(store, key, arguments.out)
        turns[camera] = turn
        channel.basic_ack(tag)


def main():
    arguments = parse_arguments()
    with open(arguments.endpoints, encoding="utf-8") as file:
        endpoints = json.load(file)
    # SIGTERM ends it as Ctrl-C does: what is not acknowledged goes back to the queue.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    store = redis.Redis.from_url(endpoints["redis"], socket_timeout=10)
    connection = pika.BlockingConnection(pika.URLParameters(endpoints["amqp"]))
    try:
        if arguments.latest:
            consume_latest(connection, connection.channel(), store, arguments)
        else:
            consume(connection.channel(), store, arguments)
    finally:
        store.close()
        if connection.is_open:
            connection.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError, KeyError, redis.RedisError, pika.exceptions.AMQPError) as error:
        sys.exit(f"consumer.py: {type(error).__name__}: {error}")
