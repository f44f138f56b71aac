"""Reads update records with the standard library alone: history-format.md as a program.

It is slow and meant for reading. Checked against the records of the test suite:
    python3 docs/history-record.py test/golden/history-records.json
"""
import hashlib
import json
import struct
import sys
import zlib
from math import floor, prod

WORD = 0xFFFFFFFF


# Section 2: keys and dither

def chacha(key, counter, nonce, rounds):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key, counter & WORD, counter >> 32, *nonce]
    s = start[:]

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & WORD
            s[z] ^= s[x]
            s[z] = (s[z] << turn | s[z] >> (32 - turn)) & WORD

    for _ in range(rounds // 2):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for column in range(4):
            quarter(column, (column + 1) % 4 + 4, (column + 2) % 4 + 8, (column + 3) % 4 + 12)
    return [(a + b) & WORD for a, b in zip(s, start)]


def derive(key, *labels):
    for label in labels:
        data = str(label).encode()
        blocks = [(1 if isinstance(label, int) else 2, len(data), 0, 0)]
        blocks += [struct.unpack("<4I", data[at:at + 16].ljust(16, b"\0")) for at in range(0, len(data), 16)]
        for a, b, c, d in blocks:
            key = chacha(key, a + (b << 32), (c, d), 20)[:8]
    return key


def dither_words(key, count):
    words = []
    while len(words) < count:
        words += chacha(key, len(words) // 16, (0, 0), 8)
    return words[:count]


# Section 4: symbols

class RangeDecoder:
    def __init__(self, data):
        self.data = data
        self.at = 3
        self.range = 1 << 30
        self.code = int.from_bytes(data[:4], "big") >> 2

    def renew(self):
        while self.range < 1 << 22:
            two = int.from_bytes(self.data[self.at:self.at + 2].ljust(2, b"\0"), "big")
            self.code = self.code << 8 | two >> 2 & 255
            self.range <<= 8
            self.at += 1

    def plain(self, count):
        value = 0
        while count > 0:
            take = min(count, 8)
            count -= take
            self.range >>= take
            part = min(self.code // self.range, (1 << take) - 1)
            self.code -= part * self.range
            value = value << take | part
            self.renew()
        return value

    def gamma(self):
        length = 0
        while self.plain(1):
            length += 1
        return 1 << length | self.plain(length)

    def letter(self, bounds):
        unit = self.range >> 14
        letter = 0
        while letter < 15 and self.code >= unit * bounds[letter]:
            letter += 1
        below = unit * bounds[letter - 1] if letter else 0
        self.code -= below
        self.range = (unit * bounds[letter] if letter < 15 else self.range) - below
        self.renew()
        return letter

    def expect_end(self):
        if self.code != 0 or self.at != len(self.data) - 1:
            raise ValueError("the symbols are damaged")


def half_octave(x):
    octave = x.bit_length() - 1
    return 2 * octave + (x >> octave - 1 & 1)


def bucket_of(activity):
    return half_octave(min(activity, 1023) + 4) - half_octave(4)


def plain_bits(activity):
    mean = activity >> 5
    return 0 if mean < 4 else mean.bit_length() - 2


class Context:
    def __init__(self, bucket):
        least = next(activity for activity in range(1024) if bucket_of(activity) == bucket)
        mean = max(least >> 1 + plain_bits(least), 1)
        self.counts = []
        rest = 128
        for _ in range(16):
            share = 16 * rest // (mean + 16)
            self.counts.append(share + 1)
            rest -= share
        self.interval = self.wait = 4
        self.rebuild()

    def rebuild(self):
        if sum(self.counts) > 32768:
            self.counts = [(count + 1) >> 1 for count in self.counts]
        total = sum(self.counts)
        self.bounds = [k + 1 + sum(self.counts[:k + 1]) * ((1 << 14) - 16) // total for k in range(15)]

    def observe(self, letter):
        self.counts[letter] += 32
        self.wait -= 1
        if self.wait == 0:
            self.rebuild()
            self.interval = self.wait = min(2 * self.interval, 128)


def read_symbols(coder, planes, sides):
    """`sides` holds a side context per symbol, or ("parity", flip) for a parity coordinate."""
    symbols, contexts, parity = [], {}, 0
    for rows, columns in planes:
        column_means = [0] * columns
        for _ in range(rows):
            row_mean = 0
            for column in range(columns):
                activity = row_mean + column_means[column]
                bucket, plain = bucket_of(activity), plain_bits(activity)
                side = sides[len(symbols)]
                is_parity = isinstance(side, tuple)
                if is_parity:
                    side = 8 + (parity ^ side[1])
                mask = 15 if bucket < 12 else 14 if bucket < 15 else 8
                number = 16 * bucket + (side & mask)
                if number not in contexts:
                    contexts[number] = Context(bucket)
                context = contexts[number]
                letter = coder.letter(context.bounds)
                context.observe(letter)
                value = 14 + coder.gamma() if letter == 15 else letter
                symbol = value << plain | coder.plain(plain)
                symbols.append(symbol)
                parity = 0 if is_parity else parity ^ symbol + 1 >> 1 & 1
                size = (32 if is_parity else 16) * symbol
                row_mean += size - row_mean >> 2
                column_means[column] += size - column_means[column] >> 2
    return symbols


# Section 5: support

def read_support(kind, data, matrices):
    """For every parameter whether it is coded, and the planes of the body."""
    if kind == 0:
        return [1] * sum(rows * columns for rows, columns in matrices), matrices
    if kind == 1:
        flag_planes = [plane for rows, columns in matrices
                       for plane in ([(1, rows), (1, columns)] if rows > 1 else [(1, rows)])]
    else:
        flag_planes = matrices
    coder = RangeDecoder(data)
    count = sum(rows * columns for rows, columns in flag_planes)
    flags = iter(read_symbols(coder, flag_planes, [0] * count))
    coder.expect_end()
    mask, planes = [], []
    for rows, columns in matrices:
        if kind == 1:
            row_flags = [next(flags) for _ in range(rows)]
            column_flags = [next(flags) for _ in range(columns)] if rows > 1 else [1] * columns
            mask += [row & column for row in row_flags for column in column_flags]
            planes.append((sum(row_flags), sum(column_flags)))
        else:
            own = [next(flags) for _ in range(rows * columns)]
            mask += own
            planes.append((1, sum(own)))
    return mask, [plane for plane in planes if prod(plane) > 0]


# Section 6: body

def distance_context(distance):
    return next((7 - at for at, end in enumerate((1, 2, 4, 8, 12, 16, 24)) if distance < end), 0)


def unfold(symbol, upwards):
    offset = (symbol + 1) // 2 if symbol % 2 else -(symbol // 2)
    return offset if upwards else -offset


def read_z(data, planes, key, step):
    words = dither_words(key, sum(map(prod, planes)))
    distances = [(word ^ WORD if word >> 31 else word) & 0x7FFFFFFF for word in words]
    coder = RangeDecoder(data)
    symbols = read_symbols(coder, planes, [distance_context(distance >> 25) for distance in distances])
    coder.expect_end()
    return [(unfold(symbol, word >> 31) + 0.5 - word * 2.0 ** -32) * step for symbol, word in zip(symbols, words)]


def nearest_e8(x):
    candidates = []
    for shift in (0.0, 0.5):
        point = [floor(value - shift + 0.5) for value in x]
        errors = [value - shift - rounded for value, rounded in zip(x, point)]
        squares = 0.0
        for error in errors:
            squares += error * error
        if sum(point) % 2:
            worst = max(range(8), key=lambda at: abs(errors[at]))
            point[worst] += -1 if errors[worst] < 0 else 1
            squares = squares + 1 - 2 * abs(errors[worst])
        candidates.append((squares, [rounded + shift for rounded in point]))
    return min(candidates, key=lambda candidate: candidate[0])[1]


def read_e8(data, planes, key, step):
    count = sum(map(prod, planes))
    blocks = -(-count // 8)
    scaled = [word * 2.0 ** -31 for word in dither_words(key, 8 * blocks)]
    dither = []
    for at in range(0, 8 * blocks, 8):
        cube = scaled[at:at + 8]
        dither += [value - point for value, point in zip(cube, nearest_e8(cube))]
    coset_sides = []
    for at in range(0, 8 * blocks, 8):
        total = 0.0
        for value in dither[at:at + 8]:
            total += abs(value)
        coset_sides.append(min(floor(4 * total), 7))
    coder = RangeDecoder(data)
    cosets = read_symbols(coder, [(1, blocks)], coset_sides)
    centres = [value - cosets[at // 8] / 2 for at, value in enumerate(dither)]
    nearest = [floor(centre + 0.5) for centre in centres]
    sides = [distance_context(min(floor(128 * (0.5 - abs(centre - near))), 63))
             for centre, near in zip(centres, nearest)]
    for last in range(7, 8 * blocks, 8):
        sides[last] = ("parity", sum(nearest[last - 7:last + 1]) & 1)
    padding = [(1, 8 * blocks - count)] if count % 8 else []
    symbols = read_symbols(coder, planes + padding, sides)
    coder.expect_end()
    values = []
    for at, symbol in enumerate(symbols):
        upwards = centres[at] >= nearest[at]
        if at % 8 == 0:
            parity = sum(nearest[at:at + 8])
        if at % 8 < 7:
            offset = unfold(symbol, upwards)
            parity += offset
        else:
            offset = 2 * unfold(symbol, True) + (parity & 1)
            offset = offset if upwards else -offset
        values.append((nearest[at] + offset + cosets[at // 8] / 2 - dither[at]) * step)
    return values[:count]


def read_int8(data, planes):
    values, at = [], 0
    for plane in planes:
        (scale,) = struct.unpack_from("<f", data, at)
        levels = struct.unpack_from(f"<{prod(plane)}b", data, at + 4)
        at += 4 + prod(plane)
        values += [level * scale + 0.0 for level in levels]
    return values


# Section 3: the record

def read_record(record, key, parameter_shapes):
    """All float32 numbers of an update, parameters first."""
    if record[:4] != b"LTHU" or zlib.crc32(record[:-4]) != struct.unpack("<I", record[-4:])[0]:
        raise ValueError("not a record, or a damaged one")
    (version, quantiser, kind, name_bytes, round_number, parameters, buffers, step, support_bytes, body_bytes,
     _rms) = struct.unpack("<4B3If2If", record[4:36])
    if version != 1:
        raise ValueError(f"version {version}")
    sections, at = [], 36
    for length in (name_bytes, support_bytes, body_bytes, 4 * buffers):
        sections.append(record[at:at + length])
        at += length
    name, support, body, exact = sections
    matrices = [(shape[0], prod(shape[1:])) if len(shape) > 1 else (1, prod(shape))
                for shape in parameter_shapes if prod(shape) > 0]
    mask, planes = read_support(kind, support, matrices)
    dither = derive(key, "dither", round_number, name.decode())
    if quantiser == 1:
        values = read_z(body, planes, dither, step)
    elif quantiser == 2:
        values = read_e8(body, planes, dither, step)
    elif quantiser == 3:
        values = struct.unpack(f"<{sum(mask)}f", body)
    else:
        values = read_int8(body, planes)
    coded = iter(values)
    update = [next(coded) if flag else 0.0 for flag in mask]
    return struct.pack(f"<{parameters}f", *update) + exact


def main(path):
    with open(path, encoding="utf-8") as file:
        golden = json.load(file)
    shapes = [tensor["shape"] for tensor in golden["tensors"] if tensor["role"] == "parameter"]
    for case in golden["records"]:
        data = read_record(bytes.fromhex(case["record"]), golden["key"], shapes)
        digest = hashlib.sha256(f'"update":{len(data)};'.encode() + data).hexdigest()
        if case["decoded"] != f"sha256:{digest}":
            sys.exit(f"{case['name']}: decodes to other numbers")
    print(f"{len(golden['records'])} records decode to the same bits")


if __name__ == "__main__":
    main(sys.argv[1])
