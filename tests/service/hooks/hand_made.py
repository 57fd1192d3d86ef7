"""Tokens forged by hand (F1), by what is wrong with each."""

import hashlib
import hmac
import json

from joserfc.jwk import ECKey

from tests.service.hooks.tokens import (
    EC,
    FOREIGN,
    KID,
    RSA,
    claims,
    headers,
    segment,
    signed,
)


def by_hmac(name, secret, said=None):
    header = headers(alg=name)
    signing = f"{segment(header)}.{segment(said or claims())}"
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[name]
    return f"{signing}.{segment(hmac.new(secret, signing.encode(), digest).digest())}"


def unsigned(alg):
    return f"{segment(headers(alg=alg))}.{segment(claims())}."


def with_signature(signature):
    return f"{signed().rpartition('.')[0]}.{segment(signature)}"


HAND_MADE = {
    "none": unsigned("none"),
    "None": unsigned("None"),
    "NONE": unsigned("NONE"),
    "nOnE with a good signature": signed().replace(signed().split(".")[0], segment(headers(alg="nOnE"))),
    "HS256 with the public key as PEM": by_hmac("HS256", EC.as_pem(private=False)),
    "HS384 with the public key as PEM": by_hmac("HS384", RSA.as_pem(private=False)),
    "HS512 with the public key as JWK": by_hmac("HS512", json.dumps(EC.as_dict(private=False)).encode()),
    "HS256 with an empty secret": by_hmac("HS256", b"\0"),
    "a curve of its own": signed(header=headers(alg="ES256"), key=ECKey.generate_key("P-256", {"kid": KID})),
    "RS384 on the EC key": signed(header=headers(alg="RS384"), key=RSA),
    "a foreign key under our kid": signed(key=FOREIGN),
    "a foreign key in jwk": signed(header=headers(jwk=FOREIGN.as_dict(private=False)), key=FOREIGN),
    "a foreign key in x5c": signed(header=headers(x5c=["MIIB"]), key=FOREIGN),
    "unknown crit": signed(header=headers(crit=["exp"], exp=1)),
    "empty crit": signed(header=headers(crit=[])),
    "b64 false": signed(header=headers(crit=["b64"], b64=False)),
    "b64 true": signed(header=headers(b64=True)),
    "a signature of zeros": with_signature(bytes(96)),
    "an empty signature": with_signature(b""),
    "a signature too long": with_signature(bytes(97)),
    "a signature of ones": with_signature(b"\xff" * 96),
    "no typ": signed(header=headers(typ=...)),
    "another typ": signed(header=headers(typ="at+jwt")),
    "typ in small letters": signed(header=headers(typ="jwt")),
    "typ as a list": signed(header=headers(typ=["JWT"])),
    "no kid": signed(header=headers(kid=...)),
    "kid as a number": signed(header=headers(kid=1)),
    "unknown kid": signed(header=headers(kid="other")),
    "alg as a list": f"{segment(headers(alg=['ES384']))}.{segment(claims())}.{segment(bytes(96))}",
    "no alg": f"{segment(headers(alg=...))}.{segment(claims())}.{segment(bytes(96))}",
    "header no object": f"{segment([])}.{segment(claims())}.{segment(bytes(96))}",
    "header no JSON": f"{segment(b'{')}.{segment(claims())}.{segment(bytes(96))}",
    "header nested deep": f"{segment(b'[' * 5000)}.{segment(claims())}.{segment(bytes(96))}",
    "claims nested deep": signed(b'{"iss":' + b"[" * 5000),
    "claims no object": signed(b"[1]"),
    "claims no JSON": signed(b"iss"),
    "claims not UTF-8": signed(b"\xff\xfe{"),
    "two parts": "a.b",
    "four parts": signed() + ".x",
    "five parts": "a.b.c.d.e",
    "nothing": "",
    "padded": signed() + "=",
    "over eight KiB": signed(claims(more="x" * 8192)),
}  # fmt: skip
