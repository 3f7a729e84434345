"""The paths of the RTSP server for tests: pre-encoded clips that are fed in real time."""
import re

from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
from gst_feed import Pump, SentPictures

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
        on_push = None
        if self.tell_sent:
            on_push = SentPictures(self.path, element.get_by_name(self.video_payloader)).expect
        Pump(media, element.get_by_name('source'), self.picture, on_push, lambda: self.silent)

    def picture(self, index):
        at = index * self.period_ns
        number = index % len(self.pictures)
        return self.pictures[number], at, at, at, number
