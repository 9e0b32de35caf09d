"""Addresses of coins: each checksum, with published vectors."""

from __future__ import annotations

import pytest

from penstock.detect import coins


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_keccak(data: bytes, digest: str) -> None:
    assert coins.keccak256(data).hex() == digest


def test_keccak_takes_more_than_a_block() -> None:
    assert len({coins.keccak256(b"a" * size) for size in (135, 136, 137, 300)}) == 4


@pytest.mark.parametrize(
    "address",
    [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t",
        "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "t3Vz22vK5z2LcKEdg16Yv4FFneEL1zg9ojd",
        "44AFFq5kSiGBoZ4NMDwYtN18obc8AemS33DBLWs3H7otXft3XjrpDtQGv7SqSsaBYBb98uNbr2VBBEt7f2wfn3RVGQBEP3A",
        "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfb6916095ca1df60bb79ce92ce3ea74c37c5d359",
    ],
)
def test_an_address_holds_and_a_slip_does_not(address: str) -> None:
    assert coins.address(address)
    slips = [address[:at] + ("2" if address[at] != "2" else "3") + address[at + 1 :] for at in range(5, len(address))]
    if address.startswith("0x"):
        slips = [address[:10].swapcase() + address[10:]] if address != address.lower() else []
        slips = [slip.replace("0X", "0x") for slip in slips]
    assert not any(map(coins.address, slips))


@pytest.mark.parametrize("address", ["bc1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ", "bc1b", "1bc", "0x" + "0" * 40])
def test_what_is_no_address(address: str) -> None:
    assert not coins.address(address)
