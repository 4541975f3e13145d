"""What is stored of an executed notebook."""

import base64
import io

import numpy as np
from PIL import Image

from book.commands.run_notebooks import with_few_colours


def test_a_picture_is_stored_with_few_colours_and_otherwise_unchanged():
    before = io.BytesIO()
    gradient = np.linspace(0, 255, 300 * 200 * 3).reshape(200, 300, 3).astype(np.uint8)
    Image.fromarray(gradient).save(before, format="png")
    stored = with_few_colours(base64.b64encode(before.getvalue()).decode())
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(stored))).convert("RGB"))
    assert after.shape == gradient.shape and abs(after.astype(int) - gradient).max() < 16
    assert len(np.unique(after.reshape(-1, 3), axis=0)) <= 64


def test_a_thin_line_on_a_landscape_keeps_its_colour():
    shades = np.linspace(255, 40, 300).astype(np.uint8)
    picture = np.stack([np.tile(shades, (200, 1)), np.tile(shades, (200, 1)), np.full((200, 300), 255)], axis=-1)
    picture = picture.astype(np.uint8)
    picture[100, 50:80] = line = (124, 58, 237)
    before = io.BytesIO()
    Image.fromarray(picture).save(before, format="png")
    stored = with_few_colours(base64.b64encode(before.getvalue()).decode())
    after = np.asarray(Image.open(io.BytesIO(base64.b64decode(stored))).convert("RGB")).astype(int)
    assert np.abs(after[100, 60] - line).max() < 8
