"""Model files made from others for tests of what reads headers only: cut after the header, and split in parts."""
import math
import pathlib
import struct

STRING, ARRAY = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


class Gguf:
    """A file's header: its keys with their values as they stand there, and its tensors with their offsets."""

    def __init__(self, path):
        self.data = pathlib.Path(path).read_bytes()
        self.at = 4
        self.version, tensors, keys = self.take("IQQ")
        self.alignment = 32
        self.keys = [self.key() for _ in range(keys)]
        self.tensors = [self.tensor() for _ in range(tensors)]
        self.header_size = -(-self.at // self.alignment) * self.alignment

    def whole_size(self):
        """Of the file that this header begins; its tensors are plain numbers (F32, F16)."""
        def size(described, offset):
            begin = 8 + struct.unpack_from("<Q", described)[0]
            dimensions, = struct.unpack_from("<I", described, begin)
            *shape, kind = struct.unpack_from(f"<{dimensions}QI", described, begin + 4)
            return offset + math.prod(shape) * {0: 4, 1: 2}[kind]
        end = max(size(*tensor) for tensor in self.tensors)
        return self.header_size + -(-end // self.alignment) * self.alignment

    def take(self, form):
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def text(self):
        (length,) = self.take("Q")
        self.at += length
        return self.data[self.at - length:self.at]

    def skip(self, kind):
        if kind == STRING:
            self.text()
        elif kind == ARRAY:
            element, count = self.take("IQ")
            if element == STRING:
                for _ in range(count):
                    self.text()
            else:
                self.at += SIZES[element] * count
        else:
            self.at += SIZES[kind]

    def key(self):
        begin = self.at
        name, (kind,) = self.text(), self.take("I")
        value = self.at
        self.skip(kind)
        if name == b"general.alignment":
            self.alignment = struct.unpack_from("<I", self.data, value)[0]
        return self.data[begin:self.at]

    def tensor(self):
        begin = self.at
        self.text()
        (dimensions,) = self.take("I")
        self.at += 8 * dimensions + 4
        described = self.data[begin:self.at]
        return described, self.take("Q")[0]


def sparse(path, header, size):
    """A file of `size` that takes no more room than its header."""
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(size)
    return path


def header_of(path, target):
    """The header of a model file, in a file of its own."""
    gguf = Gguf(path)
    target.write_bytes(gguf.data[:gguf.header_size])
    return target


def split(path, directory):
    """The model in two parts, as llama-gguf-split names them; their data is sparse. [(path, header's size)]"""
    gguf = Gguf(path)
    half, end = len(gguf.tensors) // 2, len(gguf.data) - gguf.header_size
    parts = []
    for number, tensors in enumerate((gguf.tensors[:half], gguf.tensors[half:])):
        keys = [_key("split.no", 2, "H", number), _key("split.count", 2, "H", 2),
                _key("split.tensors.count", 5, "i", len(gguf.tensors))]
        keys = gguf.keys + keys if number == 0 else keys
        first = tensors[0][1]
        header = b"GGUF" + struct.pack("<IQQ", gguf.version, len(tensors), len(keys)) + b"".join(keys)
        header += b"".join(described + struct.pack("<Q", offset - first) for described, offset in tensors)
        header += bytes(-len(header) % gguf.alignment)
        data = (gguf.tensors[half][1] if number == 0 else end) - first
        name = directory / f"split-{number + 1:05}-of-00002.gguf"
        parts.append((sparse(name, header, len(header) + data), len(header)))
    return parts


def _key(name, kind, form, value):
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I" + form, kind, value)
