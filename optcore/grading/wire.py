"""Plain data as bytes, for the pipe between the grader and student code: JSON and raw numbers, never a pickle.

`decode` is written for bytes that an adversary made: it builds nothing but built-in types and arrays of numbers, all of
them together no larger than what it was given, and answers everything else with a ValueError.
"""

import json
import math
import re
from typing import Any

import numpy as np

_DTYPE = re.compile(r"[<>|][biuf]\d{1,2}")


def encode(value: Any) -> bytes:
    """Bytes of plain data: None, numbers, strings, bytes, arrays of numbers, and lists, tuples and dicts of them.

    >>> decode(encode((1.5, {"w": np.arange(3)}, b"ab")))
    (1.5, {'w': array([0, 1, 2])}, b'ab')
    """
    blobs: list[bytes] = []

    def pack(part: Any) -> Any:
        if isinstance(part, np.ndarray):
            return {"array": [part.dtype.str, list(part.shape), store(part.tobytes())]}
        if isinstance(part, bytes):
            return {"bytes": [len(part), store(part)]}
        if isinstance(part, dict):
            return {"dict": [[key, pack(item)] for key, item in part.items()]}
        if isinstance(part, tuple):
            return {"tuple": [pack(item) for item in part]}
        return [pack(item) for item in part] if isinstance(part, list) else part

    def store(blob: bytes) -> int:
        blobs.append(blob)
        return sum(map(len, blobs[:-1]))

    head = json.dumps(pack(value)).encode()
    return b"".join([len(head).to_bytes(8), head, *blobs])


def decode(data: bytes) -> Any:
    """The plain data in these bytes. Raises ValueError for bytes that `encode` would not have made."""
    end = 8 + int.from_bytes(data[:8])
    body = data[end:]
    left = len(body)

    def take(size: int) -> None:
        nonlocal left
        left -= size
        if size < 0 or left < 0:
            raise ValueError("the parts overlap")

    def unpack(part: Any) -> Any:
        if isinstance(part, list):
            return [unpack(item) for item in part]
        if not isinstance(part, dict):
            return part
        ((kind, content),) = part.items()
        if kind == "array":
            dtype, shape, offset = content
            if not _DTYPE.fullmatch(dtype):
                raise ValueError(f"no array of numbers: {dtype!r}")
            count = math.prod(shape)
            take(count * np.dtype(dtype).itemsize)
            return np.frombuffer(body, dtype, count, offset).reshape(shape) if count else np.empty(shape, dtype)
        if kind == "bytes":
            size, offset = content
            take(size)
            return body[offset : offset + size]
        if kind == "dict":
            return {str(name): unpack(item) for name, item in content}
        if kind == "tuple":
            return tuple(unpack(item) for item in content)
        raise ValueError(f"unknown kind {kind!r}")

    try:
        return unpack(json.loads(data[8:end]))
    except (TypeError, ValueError, OverflowError, RecursionError, MemoryError, AttributeError) as error:
        raise ValueError(f"broken bytes: {error}") from None
