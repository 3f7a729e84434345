#!/usr/bin/python3
"""Motion: says how much of a camera's picture differs from its last one. Its queue: "consumers": { "motion": {} } in actors.json.

Needs Debian's python3-opencv, python3-pika and python3-redis:

    /usr/bin/python3 examples/motion.py --endpoints data/endpoints.json
"""
import cv2

from detector import detect

# What is compared: small and blurred, so that the noise of a sensor is no motion.
SIZE = (320, 180)
# Levels of 256 by which a pixel has changed.
LEVELS = 25
# Parts of the picture that have changed in a camera that moves.
MOVES = 0.005
# Pictures further apart do not tell what moved meanwhile.
MOST_MS = 5000

last = {}


def motion(frame):
    grey = cv2.cvtColor(cv2.resize(frame.image(), SIZE, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    grey = cv2.GaussianBlur(grey, (5, 5), 0)
    at, before = last.get(frame.camera, (0, None))
    # Delayed frames come behind live ones.
    if frame.captured_at <= at:
        return "delayed"
    last[frame.camera] = (frame.captured_at, grey)
    if frame.captured_at - at > MOST_MS:
        return "first picture"
    changed = (cv2.absdiff(grey, before) > LEVELS).mean()
    return f"{'motion' if changed > MOVES else 'still'}, {changed:.1%} changed"


detect("motion", motion)
