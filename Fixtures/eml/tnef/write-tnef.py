#!/usr/bin/env python3
"""Writes the winmail.dat of the messages in this folder: write-tnef.py NAME >winmail.dat

Invented content in the form of MS-OXTNEF, so that no file of a real correspondent is needed.
"""
import struct
import sys
import zlib


def attribute(level, identifier, data):
    return struct.pack("<BII", level, identifier, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)


def stream(*attributes):
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def variable(kind, identifier, data):
    return struct.pack("<HHII", kind, identifier, 1, len(data)) + padded(data)


def unicode(identifier, text):
    return variable(0x001F, identifier, (text + "\0").encode("utf-16-le"))


def binary(identifier, data):
    return variable(0x0102, identifier, data)


def number(identifier, value):
    return struct.pack("<HHI", 0x0003, identifier, value)


def named(text):
    """A named property, which readers must step over."""
    name = (text + "\0").encode("utf-16-le")
    return struct.pack("<HH16sII", 0x001F, 0x8001, b"G" * 16, 1, len(name)) + padded(name) + struct.pack(
        "<II", 1, 4) + b"x\0\0\0"


def properties(*values):
    return struct.pack("<I", len(values)) + b"".join(values)


def message_properties(*values):
    return attribute(1, 0x00069003, properties(*values))


def code_page(number):
    return attribute(1, 0x00069007, struct.pack("<II", number, 0))


def file(title, data, *values):
    return (attribute(2, 0x00069002, b"\1\0" + b"\xff" * 4 + b"\0" * 8) + attribute(2, 0x00018010, title + b"\0")
            + (attribute(2, 0x0006800F, data) if data is not None else b"")
            + (attribute(2, 0x00069005, properties(*values)) if values else b""))


def compressed_rtf(text):
    """LZFu with literals only, but for one reference into the initial dictionary ("{\\rtf1\\ansi")."""
    assert text.startswith(b"{\\rtf1\\ansi")
    rest = text[11:]
    items = [struct.pack(">H", 0 << 4 | (11 - 2))] + [bytes([byte]) for byte in rest]
    body = b""
    for start in range(0, len(items), 8):
        group = items[start:start + 8]
        body += bytes([1 if start == 0 else 0]) + b"".join(group)
    # MS-OXRTFCP's checksum: CRC-32 that starts with zero and is not inverted.
    crc = zlib.crc32(body, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<IIII", len(body) + 12, len(text), 0x75465A4C, crc) + body


PICTURE = bytes(range(256)) * 4
RTF = (b"{\\rtf1\\ansi\\ansicpg1251\\deff0{\\fonttbl{\\f0\\fcharset204 Arial;}}\\f0 "
       + b"".join(b"\\'%02x" % byte for byte in "Смета согласована.".encode("cp1251"))
       + b"\\par \\u1042?\\u1072?\\u1096? Boris\\par}")
HTML_RTF = (b"{\\rtf1\\ansi\\ansicpg1251\\fromhtml1 \\deff0{\\fonttbl{\\f0 Arial;}}"
            b"{\\*\\htmltag64 <html><body>}{\\*\\htmltag84 <p>}\\htmlrtf {\\b \\htmlrtf0 "
            + b"".join(b"\\'%02x" % byte for byte in "Цены прежние.".encode("cp1251"))
            + b"\\htmlrtf }\\htmlrtf0 {\\*\\htmltag92 </p>}{\\*\\htmltag58 </body></html>}}")

STREAMS = {
    "two-files-with-long-names": stream(
        code_page(1251), message_properties(named("Keywords"), number(0x3FDE, 1251)),
        file("СЧЕТ_1~1.TXT".encode("cp1251"), "Счёт № 31: 1200 рублей\r\n".encode("cp1251"),
             unicode(0x3707, "Счёт № 31 для ООО «Ромашка».txt"), unicode(0x370E, "text/plain")),
        file(b"plan.bin", PICTURE, unicode(0x3707, "plan.bin"), unicode(0x3712, "plan@romashka-torg.example"))),
    "body-in-compressed-rtf": stream(code_page(1251), message_properties(binary(0x1009, compressed_rtf(RTF)))),
    "html-inside-rtf": stream(code_page(1251), message_properties(binary(0x1009, compressed_rtf(HTML_RTF)))),
    "body-in-html": stream(
        code_page(1251),
        message_properties(number(0x3FDE, 65001), binary(0x1013, "<p>Ждём вас <b>в мае</b>.</p>".encode()))),
    "message-within": stream(
        code_page(1251),
        file(b"message", None, variable(0x000D, 0x3701, b"I" * 16 + stream(
            code_page(1251), message_properties(unicode(0x0037, "Договор 7"), unicode(0x1000, "Текст договора.")),
            file(b"inner.bin", PICTURE[:300]))), unicode(0x3001, "Договор 7"))),
    "cut-off": stream(code_page(1251), file(b"whole.bin", b"whole file"), file(b"cut.bin", PICTURE))[:-500],
}

sys.stdout.buffer.write(STREAMS[sys.argv[1]])
