#!/usr/bin/python3
"""Consumes Vigil's frames with the Python package vigil-consumer: prints a line for each, and saves it where --out says.

Needs Debian's python3-pika and python3-redis, nothing else. Run it with the file in which the daemon names its servers:

    /usr/bin/python3 examples/consumer.py --endpoints data/endpoints.json --out /tmp/frames
"""
import argparse
import os
import sys
import time

# In a clone; "pip install clients/python" makes this line needless.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients/python/src"))

from vigil_consumer import Consumer, ConsumerError, Options  # noqa: E402
from vigil_consumer.api import StopOnSignals  # noqa: E402

EXTENSIONS = {"jpeg": "jpg", "png": "png", "webp": "webp", "h264": "h264", "h265": "h265"}


def parse_arguments():
    parser = argparse.ArgumentParser(description="Prints a line for every frame that Vigil announces.")
    parser.add_argument("queue", nargs="?", default="vigil.detection", help="default: %(default)s")
    parser.add_argument("--endpoints", required=True, metavar="FILE", help="endpoints.json of the daemon")
    parser.add_argument("--out", metavar="DIR", help="save the pictures there, one folder for each camera")
    parser.add_argument("--count", type=int, metavar="N", help="end after N frames")
    parser.add_argument("--latest", action="store_true", help="cameras in turn, of each only its newest frame")
    return parser.parse_args()


def save(folder, frame):
    """Writes <folder>/<camera>/<captured ms>.<extension>, whole or not at all. Camera ids are safe in paths."""
    os.makedirs(os.path.join(folder, frame.camera), exist_ok=True)
    path = os.path.join(folder, frame.camera, f"{frame.captured_at}.{EXTENSIONS[frame.format]}")
    with open(path + ".tmp", "wb") as file:
        file.write(frame.data)
    os.replace(path + ".tmp", path)


def work_on(frame, out):
    """Your detection goes here: frame.image() is a numpy array."""
    if out is not None:
        save(out, frame)
    captured = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(frame.captured_at // 1000))
    size = f"{frame.announcement.width}x{frame.announcement.height}"
    print(frame.camera, f"{captured}.{frame.captured_at % 1000:03d}", size, frame.format, f"{len(frame.data)} bytes", flush=True)


def main():
    arguments = parse_arguments()
    lost = []

    def on_fault(fault):
        if fault.code != "expired":
            print(f"consumer.py: {fault.message}", file=sys.stderr)
        # The package would try again for ever. A program that a service manager restarts may as well end.
        if fault.code.endswith(("-unreachable", "-unreadable", "-refused")):
            lost.append(fault)
            consumer.stop()

    def on_settled(settled):
        nonlocal done
        done += settled.outcome == "processed"
        if settled.outcome == "expired":
            print(f"{settled.key} has expired", file=sys.stderr)

    done = 0
    options = Options(
        arguments.endpoints, arguments.queue, latest_only=arguments.latest, on_fault=on_fault, on_settled=on_settled
    )
    # Faults may come before the next line has run.
    consumer = Consumer(options, is_started=False)
    with consumer, StopOnSignals(consumer):
        while done != arguments.count:
            frame = consumer.take()
            if frame is None:
                break
            with frame:
                work_on(frame, arguments.out)
    return 1 if lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ConsumerError as error:
        sys.exit(f"consumer.py: {error}")
