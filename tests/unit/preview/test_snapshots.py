import io

import pytest
from PIL import Image

from gatehouse.core.errors import EnvironmentProblem, ProductFailure, UsageError
from gatehouse.preview.snapshots import Snapshots, compare


def picture(colour="green", size=(20, 10), dot=None):
    image = Image.new("RGB", size, colour)
    if dot:
        image.paste("red", dot)
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


class Element:
    """Looks like one picture after the other, and stays like the last."""

    def __init__(self, *pictures):
        self.pictures = [*pictures]
        self.asked = []

    def wait_for_timeout(self, _milliseconds):
        pass

    def screenshot(self, **arguments):
        self.asked.append(arguments)
        return self.pictures.pop(0) if len(self.pictures) > 1 else self.pictures[0]


@pytest.fixture
def snapshots(tmp_path):
    attached = {}
    found = Snapshots(tmp_path / "chromium-linux", "pytest --update x", False, lambda *each: None)
    found.attached = attached
    found.attach = lambda name, content, media_type: attached.update({name: (content, media_type)})
    return found


def keep(snapshots, name, content):
    snapshots.folder.mkdir(exist_ok=True)
    (snapshots.folder / f"{name}.png").write_bytes(content)


def test_what_looks_as_it_did_passes_and_leaves_nothing(snapshots):
    keep(snapshots, "lamp", picture())

    snapshots(Element(picture()), "lamp")

    assert snapshots.attached == {}


def test_what_has_changed_fails_and_leaves_three_pictures(snapshots):
    keep(snapshots, "lamp", picture())
    changed = picture(dot=(0, 0, 4, 2))

    with pytest.raises(ProductFailure) as caught:
        snapshots(Element(changed), "lamp")

    assert caught.value.summary == "lamp does not look as it did: 8 of 200 pixels are different"
    assert caught.value.next_step.endswith("pytest --update x")
    assert [*snapshots.attached] == ["lamp-expected.png", "lamp-actual.png", "lamp-difference.png"]
    assert snapshots.attached["lamp-actual.png"] == (changed, "image/png")
    difference = Image.open(io.BytesIO(snapshots.attached["lamp-difference.png"][0])).convert("RGB")
    assert difference.getpixel((0, 0)) == (255, 0, 0)
    assert difference.getpixel((10, 5)) != (255, 0, 0)


def test_as_many_pixels_may_be_different_as_the_test_says(snapshots):
    keep(snapshots, "lamp", picture())

    snapshots(Element(picture(dot=(0, 0, 4, 2))), "lamp", most_different=8)


def test_colours_may_differ_as_much_as_the_test_says(snapshots):
    keep(snapshots, "lamp", picture((0, 100, 0)))

    snapshots(Element(picture((0, 120, 0))), "lamp", threshold=0.2)
    with pytest.raises(ProductFailure):
        snapshots(Element(picture((0, 120, 0))), "lamp", threshold=0.01)


def test_what_looks_right_a_little_later_passes(snapshots):
    keep(snapshots, "lamp", picture())

    snapshots(Element(picture("white"), picture("grey"), picture()), "lamp")


def test_another_size_is_a_difference_that_is_shown(snapshots):
    found = compare(picture(size=(20, 10)), picture(size=(20, 12)), 0.1)

    assert str(found) == "40 of 240 pixels are different, and it is 20 by 12 in place of 20 by 10"


def test_a_missing_snapshot_fails_with_the_command_that_makes_it(snapshots):
    with pytest.raises(EnvironmentProblem, match="there is no snapshot lamp") as caught:
        snapshots(Element(picture()), "lamp")

    assert caught.value.next_step == "make it, look at it, and commit it: pytest --update x"
    assert [*snapshots.attached] == ["lamp-actual.png"]
    assert not snapshots.folder.exists()


def test_on_request_what_is_missing_or_differs_is_written_and_nothing_else(snapshots):
    snapshots.update = True
    keep(snapshots, "chair", picture())
    keep(snapshots, "table", picture())

    for name, colour in (("lamp", "blue"), ("chair", "red"), ("table", "green")):
        snapshots(Element(picture(colour)), name)

    assert [path.name for path in snapshots.written] == ["lamp.png", "chair.png"]
    assert (snapshots.folder / "chair.png").read_bytes() == picture("red")


def test_a_snapshot_is_written_once_the_element_is_at_rest(snapshots):
    snapshots.update = True

    snapshots(Element(picture("white"), picture("grey"), picture()), "lamp")

    assert (snapshots.folder / "lamp.png").read_bytes() == picture()


def test_animations_and_the_caret_are_kept_out_of_the_picture(snapshots):
    keep(snapshots, "lamp", picture())
    element = Element(picture())

    snapshots(element, "lamp", mask=["the clock"])

    assert element.asked == [
        {"animations": "disabled", "caret": "hide", "scale": "css", "mask": ["the clock"]}
    ]


def test_a_name_is_that_of_a_file_in_the_folder(snapshots):
    with pytest.raises(UsageError):
        snapshots(Element(picture()), "../lamp")
