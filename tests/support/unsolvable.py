#!/usr/bin/env python3
"""unsolvable.py CALIBRATION_DIR LAYER SITE: in the statistics of a site, every channel becomes the opposite of every
other one. No inputs have such a Gram matrix, so that no solver can factor it."""
import ctypes
import ctypes.util
import json
import os
import struct
import sys

zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
for name in ("ZSTD_decompressBound", "ZSTD_decompress", "ZSTD_compressBound", "ZSTD_compress"):
    getattr(zstd, name).restype = ctypes.c_size_t
zstd.ZSTD_decompressBound.restype = ctypes.c_ulonglong
size_t = ctypes.c_size_t


def decompressed(data):
    plain = ctypes.create_string_buffer(zstd.ZSTD_decompressBound(data, size_t(len(data))))
    n = zstd.ZSTD_decompress(plain, size_t(len(plain)), data, size_t(len(data)))
    return bytearray(plain.raw[:n])


def compressed(plain):
    frame = ctypes.create_string_buffer(zstd.ZSTD_compressBound(size_t(len(plain))))
    n = zstd.ZSTD_compress(frame, size_t(len(frame)), bytes(plain), size_t(len(plain)), 1)
    return frame.raw[:n]


directory, layer, site = sys.argv[1:]
path = os.path.join(directory, f"layer-{int(layer):03}.safetensors.zst")
with open(path, "rb") as file:
    plain = decompressed(file.read())
(length,) = struct.unpack_from("<Q", plain)
begin, end = json.loads(plain[8 : 8 + length])[f"{site}.gram"]["data_offsets"]
plain[8 + length + begin : 8 + length + end] = struct.pack("<h", -32767) * ((end - begin) // 2)
with open(path, "wb") as file:
    file.write(compressed(plain))
