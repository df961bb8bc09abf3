"""What can be told of a sample without its pixels, its words and its length in bytes."""

from __future__ import annotations

import hashlib
import io
import json
import re
import struct
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin

BLOCK = 512


@dataclass(frozen=True)
class Member:
    header: bytes
    """All header blocks."""
    suffix: str
    data: bytes


@dataclass(frozen=True)
class Sample:
    shard: str
    key: str
    members: tuple[Member, ...]

    def changed(self, suffixes, change):
        return replace(self, members=tuple(change(one) if one.suffix in suffixes else one for one in self.members))


def samples(folder: Path) -> list[Sample]:
    """Every sample of the shards in `folder`, in their order."""
    found: dict[tuple[str, str], list[Member]] = {}
    for shard in sorted(folder.glob("*.tar")):
        blob = shard.read_bytes()
        with tarfile.open(shard) as archive:
            for info in archive:
                key, _, suffix = info.name.partition(".")
                data = blob[info.offset_data : info.offset_data + info.size]
                found.setdefault((shard.name, key), []).append(
                    Member(blob[info.offset : info.offset_data], suffix, data)
                )
    return [Sample(shard, key, tuple(members)) for (shard, key), members in found.items()]


def table(all_samples: list[Sample]) -> tuple[np.ndarray, list[str]]:
    """One row a sample, one column a look; words become numbers. Columns that never differ are left out."""
    rows = [looks(sample) | where for sample, where in zip(all_samples, neighbourhood(all_samples), strict=True)]
    names = sorted({name for row in rows for name in row})
    columns, kept = [], []
    for name in names:
        values = [row.get(name, -1) for row in rows]
        if any(isinstance(value, str) for value in values):
            codes = {value: code for code, value in enumerate(sorted(set(map(str, values))))}
            values = [codes[str(value)] for value in values]
        if len(set(values)) > 1:
            columns.append(np.array(values, float))
            kept.append(name)
    return np.array(columns).reshape(len(columns), len(rows)).T, kept


def looks(sample: Sample) -> dict[str, float | str]:
    """What one sample shows by itself."""
    found: dict[str, float | str] = {"members": " ".join(one.suffix for one in sample.members)}
    for place, one in enumerate(sample.members):
        found |= {f"{place} {name}": value for name, value in header_looks(one.header).items()}
        found |= LOOKS.get(one.suffix, lambda _: {})(one.data)
    return found | key_looks(sample.key)


def header_looks(header: bytes) -> dict[str, float | str]:
    main = bytearray(header[-BLOCK:])
    time = int(main[136:147], 8)
    for start, end in ((0, 100), (124, 135), (136, 147), (148, 154)):  # name, size, time, sum
        main[start:end] = bytes(end - start)
    extended = re.sub(rb"[0-9.]+", b"0", header[:-BLOCK])
    fraction = re.search(rb"mtime=\d+\.(\d+)", header[:-BLOCK])
    return {
        "header": hashlib.sha1(bytes(main) + extended).hexdigest(),
        "blocks": len(header) // BLOCK,
        "time": float(time),
        "fraction": len(fraction[1]) if fraction else 0,
    }


def key_looks(key: str) -> dict[str, float | str]:
    numbers = [int(number) for number in re.findall(r"\d+", key)]
    counts = np.bincount([ord(letter) for letter in key if ord(letter) < 128], minlength=128)
    return {
        "key length": len(key),
        "key style": re.sub(r"[a-z]+", "a", re.sub(r"\d+", "0", re.sub(r"[0-9a-f]{8,}", "x", key))),
        "key digits": int(counts[48:58].sum()),
        "key letters": int(counts[97:123].sum()),
        "first number": float(numbers[0]) if numbers else -1.0,
        "last number": float(numbers[-1]) if numbers else -1.0,
        "first letter": ord(key[0]),
        "last letter": ord(key[-1]),
        "most of a letter": int(counts.max()),
    }


def neighbourhood(all_samples: list[Sample]) -> list[dict[str, float | str]]:
    """What a sample shows beside the others: its place, and steps in number and time to those around it."""
    keys = [sample.key for sample in all_samples]
    numbers = np.array([int((re.findall(r"\d+", key) or ["0"])[0]) for key in keys], float)
    times = np.array([header_looks(sample.members[0].header)["time"] for sample in all_samples])
    columns = {"place": np.arange(len(keys), dtype=float)}
    begins: dict[str, int] = {}
    columns["place in shard"] = np.array(
        [place - begins.setdefault(sample.shard, place) for place, sample in enumerate(all_samples)], float
    )
    columns["shard"] = np.unique([sample.shard for sample in all_samples], return_inverse=True)[1].astype(float)
    for name, values in (("number", numbers), ("time", times.astype(float))):
        columns[f"{name} before"] = np.diff(values, prepend=values[0])
        columns[f"{name} after"] = np.diff(values, append=values[-1])
        order = np.argsort(values, kind="stable")
        for label, steps in (
            ("sorted before", np.diff(values[order], prepend=values[order][0])),
            ("sorted after", np.diff(values[order], append=values[order][-1])),
        ):
            columns[f"{name} {label}"] = steps[np.argsort(order, kind="stable")]
    return [{name: float(values[place]) for name, values in columns.items()} for place in range(len(keys))]


def png_looks(data: bytes) -> dict[str, float | str]:
    chunks, at = [], 8
    while at < len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    stream = b"".join(part for kind, part in chunks if kind == b"IDAT")
    sizes = [len(part) for kind, part in chunks if kind == b"IDAT"]
    others = b"".join(kind + part for kind, part in chunks if kind != b"IDAT")
    kinds = [kind.decode() for kind, _ in chunks]
    return {
        "png chunks": " ".join(kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind),
        "png others": hashlib.sha1(others).hexdigest(),
        "png zlib": stream[:2].hex(),
        "png stored": stream[2] & 6,
        "png full chunk": max(sizes[:-1], default=0),
        **picture_looks(data),
    }


def jpeg_looks(data: bytes) -> dict[str, float | str]:
    segments, at = [], 2
    while data[at + 1] != 0xDA:
        size = struct.unpack(">H", data[at + 2 : at + 4])[0]
        segments.append((data[at + 1], data[at + 4 : at + 2 + size]))
        at += 2 + size
    tables = [part for marker, part in segments if marker == 0xC4]
    others = b"".join(bytes((marker,)) + part for marker, part in segments if marker != 0xC4)
    picture = Image.open(io.BytesIO(data))
    return {
        "jpeg segments": " ".join(f"{marker:x}" for marker, _ in segments),
        "jpeg others": hashlib.sha1(others).hexdigest(),
        "jpeg tables": str(sorted(picture.quantization.items())),
        "jpeg sampling": JpegImagePlugin.get_sampling(picture),
        "jpeg standard codes": float(sum(map(len, tables)) >= 400),
        "jpeg scan": data[at + 4 : at + 4 + 2 * data[at + 4] + 1].hex(),
        "jpeg scans": data.count(b"\xff\xda"),
        "jpeg end": data[-2:].hex(),
        **picture_looks(data),
    }


def picture_looks(data: bytes) -> dict[str, float | str]:
    picture = Image.open(io.BytesIO(data))
    return {"format": str(picture.format), "size": str(picture.size), "mode": picture.mode, "info": str(picture.info)}


def json_looks(data: bytes) -> dict[str, float | str]:
    text = data.decode()
    value = json.loads(text)
    captions = value.get("captions", value.get("caption"))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '"', text)
    return {
        "json fields": " ".join(value),
        "json captions": len(captions) if isinstance(captions, list) else 1,
        "json spaces": bare.count(", ") + bare.count(": "),
        "json lines": bare.count("\n"),
        "json ends": text[-1],
        "json escapes": text.count("\\u"),
    }


def txt_looks(data: bytes) -> dict[str, float | str]:
    before, after = len(data) - len(data.lstrip()), len(data) - len(data.rstrip())
    return {
        "txt before": data[:before].hex(),
        "txt after": data[len(data) - after :].hex(),
        "txt lines": data.count(b"\n"),
    }


LOOKS = {"png": png_looks, "jpg": jpeg_looks, "json": json_looks, "txt": txt_looks}
