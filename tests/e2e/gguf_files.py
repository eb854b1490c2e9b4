"""Model files made for tests of what reads headers only: cut after the header, split in parts, or made up."""
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

    def sizes(self):
        """(offset, bytes) of each tensor; they are plain numbers (F32, F16)."""
        for described, offset in self.tensors:
            begin = 8 + struct.unpack_from("<Q", described)[0]
            dimensions, = struct.unpack_from("<I", described, begin)
            *shape, kind = struct.unpack_from(f"<{dimensions}QI", described, begin + 4)
            yield offset, math.prod(shape) * {0: 4, 1: 2}[kind]

    def whole_size(self):
        """Of the file that this header begins."""
        end = max(offset + size for offset, size in self.sizes())
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


def made(path, keys, tensors):
    """A file of these keys and of tensors ({name: shape}, F32) that are all zero, and take no room."""
    def value(of):
        if isinstance(of, list):
            return struct.pack("<IIQ", ARRAY, 6, len(of)) + struct.pack(f"<{len(of)}f", *of)
        if isinstance(of, str):
            return struct.pack("<IQ", STRING, len(of)) + of.encode()
        kind, form = {bool: (7, "?"), int: (4, "I"), float: (6, "f")}[type(of)]
        return struct.pack("<I" + form, kind, of)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    for name, of in keys.items():
        header += struct.pack("<Q", len(name)) + name.encode() + value(of)
    offset = 0
    for name, shape in tensors.items():
        header += _tensor(name, shape, offset)
        offset += -(-math.prod(shape) * 4 // 32) * 32
    header += bytes(-len(header) % 32)
    return sparse(path, header, len(header) + offset)


def projector(path, embedding_of_model):
    """A small projector of SmolVLM's kind (SigLIP and a shuffle of pixels), for a model of that embedding."""
    wide, hidden, image, patch, layers = 192, 768, 256, 16, 2
    keys = {"general.architecture": "clip", "clip.has_vision_encoder": True, "clip.projector_type": "idefics3", "clip.use_gelu": True}
    keys |= {"clip.vision." + key: value for key, value in {
        "image_size": image, "patch_size": patch, "embedding_length": wide, "feed_forward_length": hidden, "block_count": layers,
        "projection_dim": embedding_of_model, "attention.head_count": 3, "attention.layer_norm_epsilon": 1e-6,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "projector.scale_factor": 4, "preproc_image_size": 512}.items()}
    shapes = {"v.patch_embd.weight": (patch, patch, 3, wide), "v.patch_embd.bias": (wide,),
              "v.position_embd.weight": (wide, (image // patch) ** 2), "v.post_ln.weight": (wide,), "v.post_ln.bias": (wide,),
              "mm.model.fc.weight": (wide * 16, embedding_of_model)}
    for layer in range(layers):
        parts = {name: (wide, wide) for name in ("attn_q", "attn_k", "attn_v", "attn_out")}
        parts |= {"ffn_up": (wide, hidden), "ffn_down": (hidden, wide), "ln1": (wide,), "ln2": (wide,)}
        for name, shape in parts.items():
            shapes[f"v.blk.{layer}.{name}.weight"] = shape
            shapes[f"v.blk.{layer}.{name}.bias"] = shape[-1:]
    return made(path, keys, shapes)


def drafting(path, header):
    """The header of a GLM-4.5 whose last layer drafts (MTP), with the tensors that takes, as a whole sparse file."""
    gguf = Gguf(header)
    name = b"glm4moe.nextn_predict_layers"
    keys = [key[:-4] + struct.pack("<I", 1) if name in key else key for key in gguf.keys]
    end = gguf.whole_size() - gguf.header_size
    added, wide = b"", 256
    for tensor, shape in (("eh_proj", (2 * wide, wide)), ("enorm", (wide,)), ("hnorm", (wide,))):
        added += _tensor(f"blk.1.nextn.{tensor}.weight", shape, end)
        end += math.prod(shape) * 4
    text = b"GGUF" + struct.pack("<IQQ", gguf.version, len(gguf.tensors) + 3, len(keys)) + b"".join(keys)
    text += b"".join(described + struct.pack("<Q", offset) for described, offset in gguf.tensors) + added
    text += bytes(-len(text) % gguf.alignment)
    return sparse(path, text, len(text) + end)


def _tensor(name, shape, offset):
    return struct.pack("<Q", len(name)) + name.encode() + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, offset)
