#!/usr/bin/python3
"""What Vigil is compared with: the origin's loop. One process a camera: read every frame, once a second encode a PNG,
store it in Redis, publish its key on RabbitMQ. Arguments: feed URL, Redis URL, AMQP URL."""
import os
import sys
import time

os.environ['OPENCV_FFMPEG_CAPTURE_OPTIONS'] = 'rtsp_transport;tcp'

import cv2  # noqa: E402
import pika  # noqa: E402
import redis  # noqa: E402


def main(feed, redis_url, amqp_url):
    store = redis.Redis.from_url(redis_url)
    channel = pika.BlockingConnection(pika.URLParameters(amqp_url)).channel()
    channel.queue_declare('origin', auto_delete=True, arguments={'x-max-length': 1000})
    capture = cv2.VideoCapture(feed)
    last = 0.0
    while True:
        ok, frame = capture.read()
        if not ok:
            sys.exit(f'{feed} ended')
        now = time.time()
        if now - last < 1:
            continue
        last = now
        key = f'origin:{os.getpid()}:{int(now * 1000)}'
        store.set(key, cv2.imencode('.png', frame)[1].tobytes(), ex=10)
        channel.basic_publish('', 'origin', key)


main(*sys.argv[1:])
