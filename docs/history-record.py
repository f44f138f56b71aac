"""Reads update records with the standard library alone: history-format.md as a program, for quantisers `z` and `tcq`.
It is slow and meant for reading. test/golden/check-history-record.py checks it on the golden records.
"""
import struct, zlib
from itertools import accumulate
from math import floor, prod
WORD = 0xFFFFFFFF
POLYNOMIALS = {7: (0o5, 0o2), 8: (0o13, 0o4), 9: (0o103, 0o24)}

def chacha(key, counter, nonce, rounds):  # section 2
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *key, counter & WORD, counter >> 32, *nonce]
    s = start[:]
    for half in range(rounds):
        for a, b, c, d in ([(i + half % 2 * row) % 4 + 4 * row for row in range(4)] for i in range(4)):
            for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                s[x] = s[x] + s[y] & WORD
                s[z] = ((s[z] ^ s[x]) << turn | (s[z] ^ s[x]) >> 32 - turn) & WORD
    return [a + b & WORD for a, b in zip(s, start)]

def derive(key, *labels):
    for label in labels:
        data = str(label).encode()
        blocks = [struct.unpack("<4I", data[at:at + 16].ljust(16, b"\0")) for at in range(0, len(data), 16)]
        for a, b, c, d in [(1 if isinstance(label, int) else 2, len(data), 0, 0), *blocks]:
            key = chacha(key, a + (b << 32), (c, d), 20)[:8]
    return key

class RangeDecoder:  # section 4
    def __init__(self, data):
        self.data, self.at, self.range, self.code = data, 3, 1 << 30, int.from_bytes(data[:4], "big") >> 2
    def take(self, below, width):
        self.code, self.range = self.code - below, width
        while self.range < 1 << 22:
            two = int.from_bytes(self.data[self.at:self.at + 2].ljust(2, b"\0"), "big")
            self.code, self.range, self.at = self.code << 8 | two >> 2 & 255, self.range << 8, self.at + 1
    def plain(self, count):
        value = 0
        for bits in [8] * (count // 8) + [count % 8] * (count % 8 > 0):
            unit = self.range >> bits
            part = min(self.code // unit, (1 << bits) - 1)
            value = value << bits | part
            self.take(part * unit, unit)
        return value
    def letter(self, bounds):
        unit = self.range >> 14
        letter = next((letter for letter in range(15) if self.code < unit * bounds[letter]), 15)
        below = unit * bounds[letter - 1] if letter else 0
        self.take(below, (unit * bounds[letter] if letter < 15 else self.range) - below)
        length = next(length for length in range(29) if not self.plain(1)) if letter == 15 else 0
        return 14 + (1 << length | self.plain(length)) if letter == 15 else letter

def level(mean):
    return 8 * (mean + 4).bit_length() - 24 + ((mean + 4 << 4 >> (mean + 4).bit_length()) & 7)

def scale(row, column):  # coder 3: bucket, plain bits, mask of the side
    b = level(row) + level(column) >> 3
    return b if b < 12 else 10 + b % 2, 0 if b < 8 else b - 6 >> 1, 15 if b < 4 else 14 if b < 7 else 8

def first_scale(row, column):  # coder 0
    x = min(row + column, 1023) + 4
    bucket = 2 * x.bit_length() - 6 + (x >> x.bit_length() - 2 & 1)
    return bucket, max((row + column >> 5).bit_length() - 2, 0), 15 if bucket < 12 else 14 if bucket < 15 else 8

FORMS = {  # scale, whether a row goes on from the last one, means, prior, increment, longest interval, parts of a unit
    0: (first_scale, 0, (1, 1, 2, 4, 6, 10, 14, 22, 30, 46, 62, 47, 63, 47, 63, 47, 63), 128, 32, 128, 0),
    3: (scale, 1, (1, 3, 6, 9, 15, 23, 34, 50, 36, 52, 37, 53), 256, 16, 64, 16)}

class Context:
    def __init__(self, bucket, means, rest, *numbers):
        self.counts, self.interval, self.numbers = [], 2, numbers
        for _ in range(16):
            self.counts.append(16 * rest // (means[bucket] + 16) + 1)
            rest -= self.counts[-1] - 1
        self.rebuild()
    def rebuild(self):
        if sum(self.counts) > 32768: self.counts = [count + 1 >> 1 for count in self.counts]
        (_, longest, shift), total = self.numbers, sum(self.counts)
        self.bounds = [k + 1 + (s * ((16368 << shift) // total) >> shift if shift else s * 16368 // total) for k, s in enumerate(accumulate(self.counts[:15]))]
        self.interval = self.wait = min(2 * self.interval, longest)
    def read(self, coder):
        letter = coder.letter(self.bounds)
        self.counts[min(letter, 15)], self.wait = self.counts[min(letter, 15)] + self.numbers[0], self.wait - 1
        if self.wait == 0: self.rebuild()
        return letter

def read_symbols(data, planes, side_of=lambda index: 0, observe=lambda index, symbol: None, form=0):
    coder, symbols, contexts, (scale_of, goes_on, *numbers) = RangeDecoder(data), [], {}, FORMS[form]
    for rows, columns in planes:
        row_mean, column_means = 0, [0] * columns
        for _ in range(rows):
            row_mean *= goes_on
            for column in range(columns):
                bucket, plain, mask = scale_of(row_mean, column_means[column])
                name = bucket, side_of(len(symbols)) & mask
                context = contexts.get(name) or contexts.setdefault(name, Context(bucket, *numbers))
                symbols.append(context.read(coder) << plain | coder.plain(plain))
                observe(len(symbols) - 1, symbols[-1])
                row_mean += 16 * symbols[-1] - row_mean >> 2
                column_means[column] += 16 * symbols[-1] - column_means[column] >> 2
    if coder.code != 0 or coder.at != len(data) - 1: raise ValueError("the symbols are damaged")
    return symbols

def read_support(kind, data, matrices):  # section 5: which parameters are coded, and the planes of the body
    if kind == 0: return [1] * sum(map(prod, matrices)), matrices
    lines = [plane for rows, columns in matrices for plane in [(1, rows), (1, columns)][:1 if rows == 1 else 2]]
    flags, mask, planes = iter(read_symbols(data, matrices if kind == 2 else lines)), [], []
    for rows, columns in matrices:
        row = [next(flags) for _ in range(rows * columns if kind == 2 else rows)]
        column = [next(flags) for _ in range(columns)] if kind == 1 and rows > 1 else [1] * (columns if kind == 1 else 1)
        mask += [a & b for a in row for b in column]
        planes.append((sum(row), sum(column)) if kind == 1 else (1, sum(row)))
    return mask, [plane for plane in planes if prod(plane) > 0]

def context_of(distance):  # section 6
    return next((7 - at for at, end in enumerate((1, 2, 4, 8, 12, 16, 24)) if distance < end), 0)

def read_body(quantiser, data, planes, words, step, form):
    h0, h1 = POLYNOMIALS.get(quantiser, (1, 0))
    state, values = words[-1] * (1 << h0.bit_length() - 1) >> 32, []
    def side_of(index):
        if quantiser == 1:
            return context_of(((words[index] ^ WORD if words[index] >> 31 else words[index]) & 0x7FFFFFFF) >> 25)
        middle = (((words[index] >> 24) + 0.5) / 64 - 2 - (state & 1)) / 2
        return context_of(floor(128 * (0.5 - abs(middle - floor(middle + 0.5)))))
    def observe(index, symbol):
        nonlocal state
        dither = words[index] * 2.0 ** -32 - 0.5 if quantiser == 1 else words[index] * 2.0 ** -30 - 2
        middle = dither if quantiser == 1 else (dither - (state & 1)) / 2  # the dither among its coset's points, in their distance
        offset = (symbol + 1) // 2 if symbol % 2 else -(symbol // 2)
        k = floor(middle + 0.5) + (offset if middle >= floor(middle + 0.5) else -offset)
        values.append((k - dither) * step if quantiser == 1 else (2 * k + (state & 1) - dither) * (step / 2))
        state = state >> 1 ^ (state & 1) * (h0 >> 1) ^ (k & 1) * (h1 >> 1)
    read_symbols(data, planes, side_of, observe, form)
    return values

def read_record(record, key, shapes):  # section 3: all float32 numbers of an update, parameters first
    _, version, quantiser, kind, name_bytes, number, parameters, buffers, step, support_bytes, body_bytes, _ = \
        struct.unpack("<4s4B3If2If", record[:36])
    unshared, coder, fixed, rotated = record[36:40] if version == 2 else (0, 3 if version == 3 else 0, 0, 0)
    if record[:4] == b"LTHE" or quantiser not in (1, *POLYNOMIALS) or coder not in FORMS or fixed or rotated: return None  # or encrypted
    if record[:4] != b"LTHU" or zlib.crc32(record[:-4]) != struct.unpack("<I", record[-4:])[0]: raise ValueError("not a record, or a damaged one")
    ends = list(accumulate((name_bytes, support_bytes, body_bytes, 4 * buffers), initial=44 if version == 2 else 36))
    sections = [record[start:end] for start, end in zip(ends, ends[1:])]
    matrices = [(shape[0], prod(shape[1:])) if len(shape) > 1 else (1, prod(shape)) for shape in shapes]
    mask, planes = read_support(kind, sections[1], [matrix for matrix in matrices if prod(matrix) > 0])
    dither, words = derive(key, "dither", number, sections[0].decode()), []
    while len(words) <= sum(mask):
        words += [1 << 31] * 16 if unshared else chacha(dither, len(words) // 16, (0, 0), 8)
    coded = iter(read_body(quantiser, sections[2], planes, words[:sum(mask) + 1], step, coder))
    return struct.pack(f"<{parameters}f", *[next(coded) if flag else 0.0 for flag in mask]) + sections[3]
