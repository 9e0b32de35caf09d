"""Addresses of cryptocurrencies: each carries a checksum of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_RIPPLE: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M: Final = 0x2BC830A3


def _base58(value: str, alphabet: str = _BASE58) -> bytes:
    number = 0
    for character in value:
        number = number * 58 + alphabet.index(character)
    zeros = len(value) - len(value.lstrip(alphabet[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


def base58check(value: str) -> bool:
    """21 bytes and the first four of their double SHA-256 (Bitcoin, Litecoin, Dogecoin, Dash, Tron, XRP); Zcash: 22."""
    data = _base58(value, _RIPPLE if value[0] == "r" else _BASE58)
    size = 26 if value[0] == "t" else 25
    return len(data) == size and hashlib.sha256(hashlib.sha256(data[:-4]).digest()).digest()[:4] == data[-4:]


_BLOCKS: Final = {11: 8, 7: 5}
"""Letters of a block of Monero's base58 -> its bytes; the last block of an address is shorter."""


def monero(value: str) -> bool:
    """69 bytes, or 77 with a payment's id, of which the last four are the Keccak-256 of the others."""
    data = b""
    for at in range(0, len(value), 11):
        block = value[at : at + 11]
        number = int.from_bytes(_base58(block))
        size = _BLOCKS.get(len(block), 0)
        if number >= 256**size:
            return False
        data += number.to_bytes(size)
    return keccak256(data[:-4])[:4] == data[-4:]


_CASH: Final = (0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470)


def cashaddr(value: str) -> bool:
    """Bitcoin Cash: as bech32, with a colon and a polynomial of its own; the prefix may be left out."""
    prefix, _, data = value.rpartition(":")
    total = 1
    for rank in [*(ord(each) & 31 for each in prefix or "bitcoincash"), 0, *map(_BECH32.index, data)]:
        top = total >> 35
        total = (total & 0x7FFFFFFFF) << 5 ^ rank
        for bit, generator in enumerate(_CASH):
            total ^= generator if top >> bit & 1 else 0
    return total == 1


def bech32(value: str) -> bool:
    """BIP 173 and BIP 350: a prefix, a 1, and 32-letter digits, of one case; a polynomial over all is 1 (bech32m: its
    own constant)."""
    if value not in (value.lower(), value.upper()):
        return False
    prefix, _, data = value.lower().rpartition("1")
    ranks = [_BECH32.find(character) for character in data]
    if not prefix or len(ranks) < 6 or -1 in ranks:
        return False
    high, low = [ord(each) >> 5 for each in prefix], [ord(each) & 31 for each in prefix]
    return _polymod([*high, 0, *low, *ranks]) in (1, _BECH32M)


def _polymod(numbers: Iterable[int]) -> int:
    total = 1
    for number in numbers:
        top = total >> 25
        total = (total & 0x1FFFFFF) << 5 ^ number
        for bit, generator in enumerate(_GENERATOR):
            total ^= generator if top >> bit & 1 else 0
    return total


def ethereum(value: str) -> bool:
    """EIP-55: written in both cases, the capitals tell the Keccak-256 of the address; in one case there is no check."""
    digits = value[2:]
    if len(set(digits.lower())) < 4:
        return False  # the zero address and its kind belong to nobody
    if digits in (digits.lower(), digits.upper()):
        return True
    sums = keccak256(digits.lower().encode()).hex()
    return all(
        character.isdigit() or character.isupper() == (nibble >= "8")
        for character, nibble in zip(digits, sums[:40], strict=True)
    )


_HUMAN: Final = ("bc1", "tb1", "ltc1", "addr1", "cosmo", "osmo1")


def address(value: str) -> bool:
    """Any of them."""
    if value[:2] in ("0x", "0X"):
        return ethereum(value)
    if ":" in value or (value[0] in "qp" and len(value) == 42):
        return cashaddr(value)
    if "1" in value and value[:5].lower().startswith(_HUMAN):
        return bech32(value)
    if len(value) > 90:
        return monero(value)
    return base58check(value)


_MASK: Final = (1 << 64) - 1


def _round_constants() -> tuple[int, ...]:
    constants, register = [], 1
    for _ in range(24):
        constant = 0
        for power in range(7):
            if register & 1:
                constant |= 1 << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


_ROUNDS: Final = _round_constants()


def keccak256(data: bytes) -> bytes:
    """Keccak with the padding of before FIPS 202, as Ethereum has it; `hashlib` has SHA-3 only."""
    rate = 136
    padded = bytearray(data) + b"\x01" + bytes(-(len(data) + 1) % rate)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for at in range(0, len(padded), rate):
        for lane in range(rate // 8):
            lanes[lane] ^= int.from_bytes(padded[at + 8 * lane : at + 8 * lane + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] (FIPS 202, section 3.3); lane x, y stands at x + 5y."""
    for constant in _ROUNDS:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        lanes = [lane ^ columns[(at + 4) % 5] ^ _turned(columns[(at + 1) % 5], 1) for at, lane in enumerate(lanes)]
        moved = lanes.copy()
        x, y = 1, 0
        for step in range(24):
            source = lanes[x + 5 * y]
            x, y = y, (2 * x + 3 * y) % 5
            moved[x + 5 * y] = _turned(source, (step + 1) * (step + 2) // 2 % 64)
        lanes = [
            moved[at] ^ ~moved[at - at % 5 + (at + 1) % 5] & moved[at - at % 5 + (at + 2) % 5] & _MASK
            for at in range(25)
        ]
        lanes[0] ^= constant
    return lanes


def _turned(lane: int, by: int) -> int:
    return (lane << by | lane >> (64 - by)) & _MASK
