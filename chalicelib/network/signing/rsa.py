"""RSA keys as text: PKCS#8 PEM for the private half, a JSON Web Key (RFC 7517) for the public.

Both libraries are imported where they are used, as in `banks/jws.py`: workers only carry keys.
"""

import json

KEY_BITS = 2048  # RFC 7518 §3.3 asks for no less; more costs every signature fourfold.


def new_private_pem() -> str:
    """A fresh RSA private key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def public_jwk(private_pem: str) -> str:
    """The public half, as a JSON Web Key without a key id."""
    from joserfc.jwk import RSAKey

    public = RSAKey.import_key(private_pem).as_dict(private=False)
    return json.dumps({name: public[name] for name in ("kty", "n", "e")})


def thumbprint(private_pem: str) -> str:
    """The thumbprint of RFC 7638, which is the key's id and stands on what `banks/jws.py` signs."""
    from joserfc.jwk import RSAKey

    found: str = RSAKey.import_key(private_pem).thumbprint()
    return found
