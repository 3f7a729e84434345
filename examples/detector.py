"""What motion.py and people.py have in common: their arguments, and a line for each frame."""
import argparse
import os
import sys

# In a clone; "pip install clients/python" makes this line needless.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../clients/python/src"))

from vigil_consumer import frames  # noqa: E402


def detect(service, work):
    """Prints what ``work`` says of each frame, until Ctrl-C or SIGTERM. An exception costs its frame a delivery, not the program."""
    parser = argparse.ArgumentParser(description=f'Works on the frames of "{service}" in "consumers" of actors.json.')
    parser.add_argument("--endpoints", default="data/endpoints.json", metavar="FILE", help="default: %(default)s")
    parser.add_argument("--queue", default=f"vigil.{service}", help="default: %(default)s")
    arguments = parser.parse_args()
    # Only the newest frame of each camera: what a detector is too slow for is skipped.
    for frame in frames(arguments.endpoints, arguments.queue, latest_only=True):
        with frame:
            print(frame.camera, frame.announcement.time, work(frame), flush=True)
