import io
import zlib

import pytest

from gatehouse.evidence.pictures import BrokenPicture, strip_texts
from tests.support.secrets import jpeg, png


def stripped(content):
    target = io.BytesIO()
    return strip_texts(io.BytesIO(content), target), target.getvalue()


@pytest.mark.parametrize(
    "chunk",
    [
        (b"tEXt", b"Comment\0a text"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"a text")),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0a text"),
        (b"eXIf", b"MM\0*a text"),
    ],
    ids=lambda chunk: chunk[0].decode(),
)
def test_texts_are_taken_out_of_a_png_and_nothing_else(chunk):
    assert stripped(png(chunk, (b"gAMA", b"\0\0\xb1\x8f"))) == (True, png((b"gAMA", b"\0\0\xb1\x8f")))


@pytest.mark.parametrize("marker", [0xE1, 0xED, 0xFE], ids=["EXIF and XMP", "IPTC", "comment"])
def test_texts_are_taken_out_of_a_jpeg_and_nothing_else(marker):
    profile = (0xE2, b"ICC_PROFILE\0")
    assert stripped(jpeg((marker, b"a text"), profile)) == (True, jpeg(profile))


@pytest.mark.parametrize("picture", [png(), jpeg()], ids=["PNG", "JPEG"])
def test_a_picture_without_texts_stays_as_it_is(picture):
    assert stripped(picture) == (False, picture)


@pytest.mark.parametrize("picture", [png(), jpeg()], ids=["PNG", "JPEG"])
def test_a_picture_that_ends_too_soon_is_known_to_be_broken(picture):
    head = picture.index(b"IDAT") if picture[1:4] == b"PNG" else picture.index(b"scan") - 3
    for end in range(3, head):
        with pytest.raises(BrokenPicture):
            stripped(picture[:end])
