"""Decodes a stored picture to a numpy array: OpenCV or Pillow for pictures, PyAV or ffmpeg for keyframes."""
from __future__ import annotations

import io
import subprocess
from typing import Any

from .errors import ConsumerError, UndecodableError, text_of

MAX_PIXELS = 40_000_000
"""8K UHD has 33 million."""
_DEADLINE_S = 15
_DEMUXERS = {"h264": "h264", "h265": "hevc"}
_CANNOT_RUN = ("error while loading shared libraries", "Unknown input format", "Unknown decoder", "Cannot allocate memory",
               "Resource temporarily unavailable", "Too many open files")


def decode_image(data: bytes, form: str, order: str = "bgr", ffmpeg: str = "ffmpeg") -> Any:
    """The pixels as a numpy array of shape (height, width, 3) and type uint8.

    :param order: ``bgr``, as OpenCV has it, or ``rgb``
    :param ffmpeg: a program for keyframes; by default PyAV, else the ffmpeg on PATH
    :raises UndecodableError: for bytes that are no whole picture of this format, or one of more than 40 million pixels
    :raises ConsumerError: ``no-decoder`` without numpy and OpenCV or Pillow; ``no-ffmpeg`` without PyAV and ffmpeg

    >>> decode_image(b"GIF89a", "jpeg")
    Traceback (most recent call last):
    ...
    vigil_consumer.errors.UndecodableError: the picture is no jpeg
    """
    if order not in ("bgr", "rgb"):
        raise ConsumerError("invalid-option", f'order: expected bgr or rgb, found "{order}"')
    # Decoders read many formats: only the announced one is passed to them.
    if not _has_signature(data, form):
        raise UndecodableError(f"the picture is no {form}")
    bgr = _keyframe(data, form, ffmpeg) if form in _DEMUXERS else _picture(data, form)
    return bgr if order == "bgr" else bgr[:, :, ::-1]


def _has_signature(data: bytes, form: str) -> bool:
    if form == "jpeg":
        return data[:3] == b"\xff\xd8\xff"
    if form == "png":
        return data[:8] == b"\x89PNG\r\n\x1a\n"
    if form == "webp":
        return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    return data[:3] == b"\0\0\1" or data[:4] == b"\0\0\0\1"


def _picture(data: bytes, form: str) -> Any:
    try:
        import cv2
        import numpy
    except ImportError:
        return _by_pillow(data, form)
    try:
        image = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        if "memory" in text_of(error).lower():
            raise MemoryError(f"no memory to decode a {form} picture") from error
        raise UndecodableError(f"the {form} picture cannot be decoded: {text_of(error)}") from error
    if image is None or not _is_whole(data, form):
        raise UndecodableError(f"the {form} picture is damaged or cut")
    return _bounded(image)


def _is_whole(data: bytes, form: str) -> bool:
    """Whether the picture is complete: OpenCV accepts truncated pictures, and paints the rest grey."""
    if form == "jpeg":
        # Some cameras pad after the end marker.
        return b"\xff\xd9" in data[-65_536:]
    return form != "png" or b"IEND" in data[-64:]


def _by_pillow(data: bytes, form: str) -> Any:
    try:
        import numpy
        from PIL import Image
    except ImportError as error:
        raise ConsumerError("no-decoder", "image() needs numpy and OpenCV or Pillow: pip install 'vigil-consumer[images]'") from error
    try:
        with Image.open(io.BytesIO(data), formats=[form.upper()]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(image.width, image.height)
            rgb = numpy.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise UndecodableError(f"the {form} picture cannot be decoded: {text_of(error)}") from error
    return rgb[:, :, ::-1]


def _keyframe(data: bytes, form: str, ffmpeg: str) -> Any:
    if ffmpeg != "ffmpeg":
        return _by_ffmpeg(data, form, ffmpeg)
    try:
        import av
    except ImportError:
        return _by_ffmpeg(data, form, ffmpeg)
    try:
        with av.open(io.BytesIO(data), format=_DEMUXERS[form]) as container:
            frame = next(container.decode(video=0))
            return _bounded(frame.to_ndarray(format="bgr24"))
    except (av.error.FFmpegError, StopIteration, IndexError, ValueError) as error:
        raise UndecodableError(f"the {form} keyframe cannot be decoded: {text_of(error)}") from error


def _by_ffmpeg(data: bytes, form: str, ffmpeg: str) -> Any:
    import numpy

    command = [ffmpeg, "-v", "error", "-nostdin", "-xerror", "-max_pixels", str(MAX_PIXELS), "-noautorotate", "-f", _DEMUXERS[form], "-i", "pipe:0"]
    command += ["-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
    try:
        ended = subprocess.run(command, input=data, capture_output=True, timeout=_DEADLINE_S, check=False)
    except OSError as error:
        raise ConsumerError("no-ffmpeg", f"ffmpeg cannot be run: {error.strerror}") from error
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"ffmpeg took more than {_DEADLINE_S} s to decode a {form} keyframe") from None
    stderr = ended.stderr.decode("utf-8", "replace").strip()[-500:]
    if any(text in stderr for text in _CANNOT_RUN) or ended.returncode < 0:
        raise ConsumerError("no-ffmpeg", f"ffmpeg cannot decode keyframes here: {stderr or f'signal {-ended.returncode}'}")
    header = ended.stdout[:64].split(b"\n", 3)
    if ended.returncode != 0 or stderr != "" or len(header) < 4 or header[0] != b"P6":
        raise UndecodableError(f"the {form} keyframe cannot be decoded: {stderr or 'ffmpeg found no picture in it'}")
    width, height = (int(part) for part in header[1].split())
    offset = sum(len(part) + 1 for part in header[:3])
    pixels = numpy.frombuffer(ended.stdout, numpy.uint8, width * height * 3, offset)
    return pixels.reshape(height, width, 3)[:, :, ::-1]


def _bounded(image: Any) -> Any:
    height, width = image.shape[:2]
    if height * width > MAX_PIXELS:
        raise _too_large(width, height)
    return image


def _too_large(width: int, height: int) -> UndecodableError:
    return UndecodableError(f"the picture has {width}x{height} pixels, more than {MAX_PIXELS}")
