"""The paths of the RTSP server for tests: pre-encoded clips that are fed in real time."""
import json
import os
import re
import time

from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

ROLE = 'viewer'  # of whoever may see them
CHAIN = {
    'h264': 'caps=video/x-h264,stream-format=byte-stream,alignment=au ! h264parse config-interval=-1 ! rtph264pay',
    'h265': 'caps=video/x-h265,stream-format=byte-stream,alignment=au ! h265parse config-interval=-1 ! rtph265pay',
    'mjpeg': 'caps=image/jpeg ! jpegparse ! rtpjpegpay',
}
SOUND = {
    'pcma': 'audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay',
    'pcmu': 'audio/x-raw,rate=8000,channels=1 ! mulawenc ! rtppcmupay',
}
# Where a picture begins: an access unit delimiter (H.264 type 9, H.265 type 35), a JPEG start right after an end.
BORDER = {
    'h264': re.compile(rb'\x00?\x00\x00\x01\x09'),
    'h265': re.compile(rb'\x00?\x00\x00\x01\x46\x01'),
    'mjpeg': re.compile(rb'(?:^|(?<=\xff\xd9))\xff\xd8'),
}
WAIT_FOR_PLAYING_MS = 5
# A server that was stopped (SIGSTOP) or starved goes on from now instead of sending a burst.
CATCH_UP_LIMIT_NS = Gst.SECOND


def load_pictures(path, codec):
    with open(path, 'rb') as file:
        data = file.read()
    starts = [match.start() for match in BORDER[codec].finditer(data)]
    if not starts:
        raise SystemExit(f'{path}: no {codec} picture found')
    return [GLib.Bytes.new(data[start:end]) for start, end in zip(starts, starts[1:] + [len(data)])]


def tone(kind, number):
    """A branch of its own that makes a tone; it runs from the start, while video waits for its next picture."""
    payload = {'pcma': 8, 'pcmu': 0}[kind]
    return f'audiotestsrc is-live=true wave=sine ! {SOUND[kind]} name=pay{number} pt={payload}'


class Mount:
    """One path: its pictures, and whether it is silent."""

    def __init__(self, path, spec, clips, tell_sent):
        self.path = path
        self.tell_sent = tell_sent
        key = (spec['clip'], spec['codec'])
        if key not in clips:
            clips[key] = load_pictures(*key)
        self.pictures = clips[key]
        self.period_ns = int(Gst.SECOND / spec['fps'])
        self.silent = False

        self.factory = GstRtspServer.RTSPMediaFactory.new()
        source = 'appsrc name=source is-live=true format=time max-bytes=0'
        payload = 26 if spec['codec'] == 'mjpeg' else 96
        # Tracks are described in the order of their payloaders' numbers.
        audio = spec.get('audio') or {}
        before, after = audio.get('before') or [], audio.get('after') or []
        video = f'{source} {CHAIN[spec["codec"]]} name=pay{len(before)} pt={payload}'
        tones = [tone(kind, i if i < len(before) else i + 1) for i, kind in enumerate(before + after)]
        self.video_payloader = f'pay{len(before)}'
        self.factory.set_launch(f'( {" ".join([video, *tones])} )')
        self.factory.set_shared(True)
        tcp, udp = GstRtsp.RTSPLowerTrans.TCP, GstRtsp.RTSPLowerTrans.UDP
        self.factory.set_protocols(tcp if spec.get('tcpOnly') else tcp | udp)
        self.factory.connect('media-configure', self.on_media)

    def on_media(self, _factory, media):
        element = media.get_element()
        pump = Pump(self, element.get_by_name('source'))
        if self.tell_sent:
            packets = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
            element.get_by_name(self.video_payloader).get_static_pad('src').add_probe(packets, pump.on_packets)
        media.connect('unprepared', lambda _media: pump.stop())
        pump.schedule(0)


class Pump:
    """Feeds one media's appsrc in real time, from the default main loop, until the media goes."""

    def __init__(self, mount, source):
        self.mount = mount
        self.source = source
        self.next_picture = 0
        self.due_ns = None
        self.being_sent = {}  # picture by presentation time

    def stop(self):
        self.source = None

    def schedule(self, delay_ms):
        GLib.timeout_add(delay_ms, self.tick)

    def tick(self):
        source = self.source  # another thread may stop() meanwhile
        if source is None:
            return GLib.SOURCE_REMOVE
        clock = source.get_clock()
        if clock is None or source.get_state(0).state != Gst.State.PLAYING:
            self.schedule(WAIT_FOR_PLAYING_MS)
            return GLib.SOURCE_REMOVE
        now_ns = clock.get_time() - source.get_base_time()
        if self.due_ns is None or now_ns - self.due_ns > CATCH_UP_LIMIT_NS:
            self.due_ns = now_ns
        if now_ns >= self.due_ns:
            if not self.mount.silent and not self.push(source):
                return GLib.SOURCE_REMOVE
            self.due_ns += self.mount.period_ns
        self.schedule(max(0, (self.due_ns - now_ns) // Gst.MSECOND))
        return GLib.SOURCE_REMOVE

    def push(self, source):
        """False when the media has gone."""
        buffer = Gst.Buffer.new_wrapped_bytes(self.mount.pictures[self.next_picture])
        buffer.pts = buffer.dts = self.due_ns
        buffer.duration = self.mount.period_ns
        if self.mount.tell_sent:
            self.being_sent[buffer.pts] = self.next_picture
        self.next_picture = (self.next_picture + 1) % len(self.mount.pictures)
        return source.emit('push-buffer', buffer) == Gst.FlowReturn.OK

    def on_packets(self, _pad, info):
        """In the thread that hands the packets on to the connections, right before it does."""
        if info.type & Gst.PadProbeType.BUFFER_LIST:
            packets = info.get_buffer_list()
            packet = packets.get(packets.length() - 1)
        else:
            packet = info.get_buffer()
        marked = packet.extract_dup(1, 1)[0] & 0x80  # the last of its picture: RFC 6184 5.1, RFC 2435 3.1
        picture = self.being_sent.pop(packet.pts, None) if marked else None
        if picture is not None:
            answer({'sent': self.mount.path, 'picture': picture, 'atMs': time.time() * 1000})
        return Gst.PadProbeReturn.OK


def answer(record):
    os.write(1, (json.dumps(record) + '\n').encode())  # one write, so that lines of several threads stay whole
