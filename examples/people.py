#!/usr/bin/python3
"""People: the detector that OpenCV brings (histograms of gradients; whole persons, upright, at least 100 pixels tall).

Its queue: "consumers": { "people": {} } in actors.json. Needs Debian's python3-opencv, python3-pika and python3-redis:

    /usr/bin/python3 examples/people.py --endpoints data/endpoints.json

For more than a first look, put a network in its place: cv2.dnn.readNet("model.onnx").
"""
import cv2

from detector import detect

# Pixels. Larger pictures take longer, and show people who are farther away.
WIDTH = 768
# Of the support vector machine's score: lower finds more, and more that are none.
SCORE = 0.5

hog = cv2.HOGDescriptor()
hog.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())


def people(frame):
    image = frame.image()
    scale = min(1.0, WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    # Smaller than its window: OpenCV would fail.
    if small.shape[0] < 128 or small.shape[1] < 64:
        return "picture too small"
    boxes, scores = hog.detectMultiScale(small, winStride=(8, 8), scale=1.1)
    found = [[round(value / scale) for value in box] for box, score in zip(boxes, scores) if score > SCORE]
    return f"{len(found)} people" + "".join(f" at {x},{y} ({width}x{height})" for x, y, width, height in found)


detect("people", people)
