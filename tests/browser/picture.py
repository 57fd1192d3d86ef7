"""Makes the picture of the page on the README anew, small enough for a repository: ``make picture``."""

import struct
import sys
import zlib
from base64 import b64decode, b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from tests.browser.a_browser import a_browser, chromium, demo, settled
from tests.repository import ROOT

PICTURE = ROOT / "docs" / "images" / "demo.png"
PATIENT = "low-potassium-on-indapamide"

# The 256 commonest colours of a picture, and for each pixel which of them is nearest.
FEWER_COLOURS = """async (source) => {
  const picture = await createImageBitmap(await (await fetch(source)).blob());
  const { width, height } = picture;
  const pen = new OffscreenCanvas(width, height).getContext("2d");
  pen.drawImage(picture, 0, 0);
  const { data } = pen.getImageData(0, 0, width, height);
  const pixels = Uint32Array.from({ length: width * height }, (_, at) => (data[4 * at] << 16) | (data[4 * at + 1] << 8) | data[4 * at + 2]);
  const counts = new Map();
  for (const colour of pixels) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const palette = [...counts].sort((one, other) => other[1] - one[1]).slice(0, 256).map(([colour]) => colour);
  const parts = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];
  const far = (one, other) => parts(one).reduce((sum, part, at) => sum + (part - parts(other)[at]) ** 2, 0);
  const nearest = new Map([...counts.keys()].map((colour) => [colour, palette.reduce((best, _, at) => far(palette[at], colour) < far(palette[best], colour) ? at : best, 0)]));
  const indexes = Uint8Array.from(pixels, (colour) => nearest.get(colour));
  let text = "";
  for (let at = 0; at < indexes.length; at += 32768) text += String.fromCharCode(...indexes.subarray(at, at + 32768));
  return { width, height, palette: palette.flatMap(parts), indexes: btoa(text) };
}"""


def main() -> None:
    """Starts the demo, opens one patient, and keeps what is seen."""
    path = chromium()
    if path is None:
        sys.exit("There is no Chromium here (Debian: the package chromium).")
    PICTURE.parent.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, demo(Path(folder)) as address, a_browser(path) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 880}, color_scheme="light")
        page.goto(f"{address}/demo/#{PATIENT}")
        PICTURE.write_bytes(small(settled(page).screenshot(), browser))
    print(f"wrote {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size // 1000} kB")  # noqa: T201 -- a command says what it did


def small(png: bytes, browser: Browser) -> bytes:
    """The picture as a PNG with a palette of at most 256 colours."""
    source = f"data:image/png;base64,{b64encode(png).decode()}"
    found = browser.new_page().evaluate(FEWER_COLOURS, source)
    width, height, indexes = found["width"], found["height"], b64decode(found["indexes"])
    rows = b"".join(b"\0" + indexes[at * width : (at + 1) * width] for at in range(height))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(found["palette"])),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


if __name__ == "__main__":
    main()
