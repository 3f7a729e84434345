#!/usr/bin/python3
"""RTSP server for tests, GStreamer's: pictures in the order they are sent with the times they are shown at, and sound.

First line of stdin, JSON:
  {"mounts": {"/cam": {"codec": "h264"|"h265"|"mjpeg"|"vp8"|"vp9", "fps": 25, "units": FILE, "index": FILE, "audio": null|"pcma"|"pcmu"|"aac",
   "audioFirst": false, "adts": FILE}}}
The index is a JSON list of [bytes, number, sentAt, shownAt] for each unit in FILE, times in pictures.
Answer on stdout when it listens: {"port": N}. Then a line whenever the last packet of a picture is about to be sent:
  {"sent": "/cam", "picture": NUMBER, "atMs": TIME}
Each client has a media of its own: its clip begins at the first unit. It ends when stdin closes or on SIGTERM.
"""
import functools
import json
import os
import signal
import sys

import gi

gi.require_version('Gst', '1.0')
gi.require_version('GstRtspServer', '1.0')
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402
from gst_feed import HOST, Pump, SentPictures, answer, new_server  # noqa: E402

VIDEO = {
    'h264': 'caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse config-interval=-1 ! rtph264pay pt=96',
    'h265': 'caps=video/x-h265,stream-format=byte-stream,alignment=au ! h265parse config-interval=-1 ! rtph265pay pt=96',
    'mjpeg': 'caps=image/jpeg ! jpegparse ! rtpjpegpay pt=26',
    'vp8': 'caps=video/x-vp8 ! rtpvp8pay pt=96',
    'vp9': 'caps=video/x-vp9 ! rtpvp9pay pt=96',
}
# Sound comes from appsrc too: a media with a test source can be sought in, and is then sought in vain at each PLAY. No
# package the tests need has an encoder for AAC: its frames come from a file.
SOUND = 'appsrc name=sound is-live=true format=time'
AUDIO = {
    'pcma': f'{SOUND} caps=audio/x-alaw,rate=8000,channels=1 ! rtppcmapay pt=8',
    'pcmu': f'{SOUND} caps=audio/x-mulaw,rate=8000,channels=1 ! rtppcmupay pt=0',
    'aac': f'{SOUND} caps=audio/mpeg,mpegversion=4,stream-format=adts ! aacparse ! rtpmp4gpay pt=97',
}
SILENCE = {'pcma': b'\xd5' * 160, 'pcmu': b'\xff' * 160}
TELEPHONE_FRAME_NS = 20 * Gst.MSECOND
AAC_FRAME_NS = 1024 * Gst.SECOND // 16000


@functools.lru_cache
def load_units(units, index):
    with open(units, 'rb') as file:
        data = file.read()
    with open(index, encoding='utf8') as file:
        rows = json.load(file)
    cut, at = [], 0
    for size, number, sent_at, shown_at in rows:
        cut.append((GLib.Bytes.new(data[at : at + size]), number, sent_at, shown_at))
        at += size
    return cut


def load_adts(path):
    with open(path, 'rb') as file:
        data = file.read()
    frames, at = [], 0
    while at + 7 <= len(data):
        size = (int.from_bytes(data[at + 3 : at + 6], 'big') >> 5) & 0x1FFF
        frames.append(GLib.Bytes.new(data[at : at + size]))
        at += size
    return frames


class Mount:
    """One path."""

    def __init__(self, path, spec):
        self.path = path
        self.units = load_units(spec['units'], spec['index'])
        self.frames = len({number for _, number, _, _ in self.units})
        # GStreamer's parsers put a picture that would be shown before it is sent to its sending.
        self.delay = max(0, max(sent_at - shown_at for _, _, sent_at, shown_at in self.units))
        self.period_ns = Gst.SECOND / spec['fps']
        audio = spec.get('audio')
        self.sounds, self.sound_ns = [], TELEPHONE_FRAME_NS
        if audio == 'aac':
            self.sounds, self.sound_ns = load_adts(spec['adts']), AAC_FRAME_NS
        elif audio:
            self.sounds = [GLib.Bytes.new(SILENCE[audio])]
        video_at, audio_at = (1, 0) if spec.get('audioFirst') else (0, 1)
        source = 'appsrc name=source is-live=true format=time max-bytes=0'
        parts = [f'{source} {VIDEO[spec["codec"]]} name=pay{video_at}']
        if audio:
            parts.append(f'{AUDIO[audio]} name=pay{audio_at}')
        self.video_pay = f'pay{video_at}'
        self.factory = GstRtspServer.RTSPMediaFactory.new()
        self.factory.set_launch(f'( {" ".join(parts)} )')
        self.factory.connect('media-configure', self.on_media)

    def on_media(self, _factory, media):
        element = media.get_element()
        sent = SentPictures(self.path, element.get_by_name(self.video_pay))
        Pump(media, element.get_by_name('source'), self.picture, sent.expect)
        if self.sounds:
            Pump(media, element.get_by_name('sound'), self.sound)

    def picture(self, index):
        turn, at = divmod(index, len(self.units))
        data, number, sent_at, shown_at = self.units[at]
        sent, shown = turn * self.frames + sent_at, turn * self.frames + shown_at + self.delay
        due = int(sent * self.period_ns)
        return data, due, int(shown * self.period_ns), due, number

    def sound(self, index):
        at = index * self.sound_ns
        return self.sounds[index % len(self.sounds)], at, at, at, None


def read_line():
    line = b''
    while not line.endswith(b'\n'):
        data = os.read(0, 1 << 16)
        if not data:
            sys.exit(0)
        line += data
    return line


def main():
    config = json.loads(read_line())
    Gst.init(None)
    server, pool = new_server()
    for path, spec in config['mounts'].items():
        mount = Mount(path, spec)
        mount.factory.set_address_pool(pool)
        server.get_mount_points().add_factory(path, mount.factory)
    if server.attach(None) == 0:
        raise SystemExit(f'cannot listen on {HOST}')
    loop = GLib.MainLoop()

    def on_stdin(_fd, _condition):
        if not os.read(0, 1 << 16):
            loop.quit()
        return GLib.SOURCE_CONTINUE

    GLib.io_add_watch(0, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, on_stdin)
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    answer({'port': server.get_bound_port()})
    loop.run()
    os._exit(0)  # the kernel closes the sockets; taking live pipelines apart first gains nothing


main()
