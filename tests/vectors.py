"""Published test vectors, for Python and for SQL."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Vector:
    key: bytes
    nonce: bytes
    plain: bytes
    associated: bytes
    cipher: bytes
    tag: bytes


#: RFC 7518, appendix B.3: A256CBC-HS512
RFC_7518_B3 = Vector(
    key=bytes(range(64)),
    nonce=bytes.fromhex("1af38c2dc2b96ffdd86694092341bc04"),
    plain=b"A cipher system must not be required to be secret, and it must be able to fall into the hands of "
    b"the enemy without inconvenience",
    associated=b"The second principle of Auguste Kerckhoffs",
    cipher=bytes.fromhex(
        "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd"
        "822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b"
        "36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3"
        "a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b"
        "be2638d09dd7a4930930806d0703b1f6"
    ),
    tag=bytes.fromhex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"),
)

#: Test case 16 of the GCM specification submitted to NIST (McGrew, Viega): AES-256, 96-bit IV
GCM_16 = Vector(
    key=bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2),
    nonce=bytes.fromhex("cafebabefacedbaddecaf888"),
    plain=bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    ),
    associated=bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
    cipher=bytes.fromhex(
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
    ),
    tag=bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b"),
)
