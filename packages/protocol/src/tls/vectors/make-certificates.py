#!/usr/bin/env python3
"""Writes certificates.json, key-files.json and ../../crypto/vectors/signatures.json beside this file.

Needs pyca/cryptography and the openssl command with its legacy provider. Every key is made anew and is a test key: those
of certificates.json are thrown away, those of key-files.json open nothing. The tests judge at NOW, 2030-01-01.
"""

import base64
import datetime as dt
import ipaddress
import json
import os
import pathlib
import subprocess
import tempfile

import cryptography
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Eku
from cryptography.x509.oid import NameOID, ObjectIdentifier

HERE = pathlib.Path(__file__).parent
FROM_2026 = (dt.datetime(2026, 1, 1), dt.datetime(2040, 1, 1))
OPENSSL = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
MADE_BY = f"pyca/cryptography {cryptography.__version__} and OpenSSL {OPENSSL}, by tls/vectors/make-certificates.py"
certificates: dict[str, str] = {}


def name(cn, *more):
    parts = [x509.NameAttribute(oid, value) for oid, value in more]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, cn)])


def ca(path_length=None):
    return (x509.BasicConstraints(True, path_length), True)


def usage(*on):
    flags = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
    flags.update(dict.fromkeys(on, True))
    return (x509.KeyUsage(**flags), True)


def san(*names):
    entries = []
    for one in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(one)))
        except ValueError:
            entries.append(x509.DNSName(one))
    return (x509.SubjectAlternativeName(entries), False)


def issue(label, subject, issuer=None, extensions=(), key=None, dates=FROM_2026, ids=True, sign_hash=None, **options):
    """Writes down one certificate; issuer is (name, key) or None for a self-signed one."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    issuer_name, issuer_key = issuer or (subject, key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(issuer_name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(dates[0]).not_valid_after(dates[1])
    )
    if ids:
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    algorithm = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else sign_hash or hashes.SHA256()
    made = builder.sign(issuer_key, algorithm, **options)
    certificates[label] = base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()
    return (subject, key)


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


def openssl_certificate(label, subject, *arguments):
    """For what pyca/cryptography rightly does not make any more: MD5, SHA-1, short keys, version 1."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c")
        openssl("req", "-x509", "-nodes", "-keyout", path + ".key", "-out", path, "-days", "5000", "-subj", subject,
                *arguments)
        pem = x509.load_pem_x509_certificate(pathlib.Path(path).read_bytes())
        certificates[label] = base64.b64encode(pem.public_bytes(serialization.Encoding.DER)).decode()
        return pathlib.Path(path + ".key").read_bytes()


def openssl_issue(label, issuer, subject, *arguments, extensions=""):
    """A leaf of the RSA root signed by the openssl command."""
    with tempfile.TemporaryDirectory() as folder:
        at = lambda file: os.path.join(folder, file)  # noqa: E731
        pathlib.Path(at("ca.key")).write_bytes(pem_key(issuer[1]))
        pathlib.Path(at("ca.pem")).write_bytes(pem_certificate("root RSA"))
        pathlib.Path(at("ext")).write_text(extensions)
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", at("k"),
                "-out", at("csr"), "-subj", subject)
        openssl("x509", "-req", "-in", at("csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-days", "5000",
                "-extfile", at("ext"), "-out", at("c"), *arguments)
        made = x509.load_pem_x509_certificate(pathlib.Path(at("c")).read_bytes())
        certificates[label] = base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


def pem_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def pem_certificate(label):
    return x509.load_der_x509_certificate(base64.b64decode(certificates[label])).public_bytes(
        serialization.Encoding.PEM)


HOST = "srv1.corp.example"
ROOT = issue("root", name("Test Root", (NameOID.ORGANIZATION_NAME, "Test")), extensions=[ca()])
OTHER_ROOT = issue("root of the same name with another key", ROOT[0], extensions=[ca()], ids=False)
RSA_ROOT = issue("root RSA", name("Test Root RSA"), extensions=[ca()], key=rsa.generate_private_key(65537, 2048))
SERVE = (x509.ExtendedKeyUsage([Eku.SERVER_AUTH]), False)


def leaf(label, issuer, *names, extra=(), **options):
    return issue(label, name(HOST), issuer, [san(*(names or (HOST,))), *extra], **options)


leaf("leaf", ROOT, HOST, "*.wild.corp.example", "10.1.2.3", "fd00::1", "SRV2.Corp.Example", "*.example",
     extra=[SERVE, usage("digital_signature")])
leaf("leaf without purposes", ROOT)
leaf("leaf of the root of the same name", OTHER_ROOT, ids=False)
leaf("leaf by RSA", RSA_ROOT)
leaf("leaf by RSA-PSS", RSA_ROOT,
     rsa_padding=padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH))
leaf("leaf by SHA-384", RSA_ROOT, sign_hash=hashes.SHA384())
leaf("leaf by SHA-512", RSA_ROOT, sign_hash=hashes.SHA512())
leaf("leaf with an RSA key", ROOT, key=rsa.generate_private_key(65537, 2048))
leaf("leaf with a P-384 key", ROOT, key=ec.generate_private_key(ec.SECP384R1()))
leaf("leaf with a P-521 key", ROOT, key=ec.generate_private_key(ec.SECP521R1()))
ED = issue("root Ed25519", name("Test Root Ed25519"), extensions=[ca()], key=ed25519.Ed25519PrivateKey.generate())
leaf("leaf by Ed25519", ED, key=ed25519.Ed25519PrivateKey.generate())
leaf("leaf expired", ROOT, dates=(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)))
leaf("leaf not yet valid", ROOT, dates=(dt.datetime(2035, 1, 1), dt.datetime(2040, 1, 1)))
issue("leaf with only a common name", name(HOST), ROOT)
leaf("leaf for clients only", ROOT, extra=[(x509.ExtendedKeyUsage([Eku.CLIENT_AUTH]), False)])
leaf("leaf for any purpose", ROOT, extra=[(x509.ExtendedKeyUsage([Eku.ANY_EXTENDED_KEY_USAGE]), False)])
leaf("leaf that may not sign", ROOT, extra=[usage("key_encipherment")])
leaf("leaf with an unknown critical extension", ROOT,
     extra=[(x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\x00"), True)])
leaf("leaf with a critical policy", ROOT,
     extra=[(x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier("1.2.3.5"), None)]), True)])
SAN_LINE = f"subjectAltName=DNS:{HOST}"
openssl_issue("leaf by SHA-1", RSA_ROOT, f"/CN={HOST}", "-sha1", extensions=SAN_LINE)
openssl_issue("leaf by MD5", RSA_ROOT, f"/CN={HOST}", "-md5", extensions=SAN_LINE)

INTER = issue("intermediate", name("Test Intermediate"), ROOT, [ca(0), usage("key_cert_sign")])
leaf("leaf of the intermediate", INTER)
TOO_DEEP = issue("intermediate below a path length of 0", name("Too Deep"), INTER, [ca()])
leaf("leaf below a path length of 0", TOO_DEEP)
NOT_CA = issue("intermediate that is no CA", name("No CA"), ROOT, [(x509.BasicConstraints(False, None), True)])
leaf("leaf of no CA", NOT_CA)
NO_SIGN = issue("intermediate that may not sign", name("No Sign"), ROOT, [ca(), usage("crl_sign")])
leaf("leaf of a CA that may not sign", NO_SIGN)
FOR_MAIL = issue("intermediate for mail", name("Mail CA"), ROOT,
                 [ca(), (x509.ExtendedKeyUsage([Eku.EMAIL_PROTECTION]), False)])
leaf("leaf of a CA for mail", FOR_MAIL)
OLD = issue("intermediate expired", name("Old CA"), ROOT, [ca()],
            dates=(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)))
leaf("leaf of an expired CA", OLD)
ODD = issue("intermediate with policy constraints", name("Policy CA"), ROOT,
            [ca(), (x509.PolicyConstraints(0, None), True)])
leaf("leaf below policy constraints", ODD)

NARROW = issue("intermediate with name constraints", name("Narrow CA"), ROOT, [ca(), (x509.NameConstraints(
    [x509.DNSName("corp.example"), x509.IPAddress(ipaddress.ip_network("10.0.0.0/8")),
     x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Corp")]))],
    [x509.DNSName("secret.corp.example"), x509.IPAddress(ipaddress.ip_network("10.9.0.0/16"))]), True)])


def narrow(label, *names, organization="Corp"):
    issue(label, name(HOST, (NameOID.ORGANIZATION_NAME, organization)), NARROW, [san(*names)])


narrow("constrained: allowed", HOST, "10.1.2.3")
narrow("constrained: allowed in other letters", "SRV1.Corp.Example", organization="CORP")
narrow("constrained: another domain", HOST, "srv1.example.com")
narrow("constrained: a name that only ends alike", HOST, "evilcorp.example")
narrow("constrained: an excluded domain", HOST, "db.secret.corp.example")
narrow("constrained: a wildcard over an excluded domain", HOST, "*.corp.example")
narrow("constrained: another address", HOST, "192.168.0.1")
narrow("constrained: an excluded address", HOST, "10.9.1.1")
narrow("constrained: an address of the other family", HOST, "fd00::1")
narrow("constrained: another organization", HOST, organization="Else")

chain = ROOT
for depth in range(1, 9):
    chain = issue(f"deep {depth}", name(f"Deep {depth}"), chain, [ca()])
    leaf(f"leaf below {depth}", chain)
A = (name("Loop A"), ec.generate_private_key(ec.SECP256R1()))
B = (name("Loop B"), ec.generate_private_key(ec.SECP256R1()))
issue("loop A by B", A[0], B, [ca()], key=A[1])
issue("loop B by A", B[0], A, [ca()], key=B[1])
leaf("leaf of the loop", A)

leaf("self-signed", None, HOST, ids=False)
issue("self-signed, renewed", name(HOST), None, [san(HOST)])
issue("self-signed for another name", name("old-name"), None, [san("old-name.corp.example")])
leaf("self-signed, expired", None, dates=(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1)))
PROXY = issue("root of an inspecting proxy", name("Inspecting Proxy CA"), extensions=[ca()])
leaf("leaf of the inspecting proxy", PROXY)
leaf("leaf renewed by the root", ROOT)
openssl_certificate("self-signed by SHA-1", f"/CN={HOST}", "-newkey", "rsa:2048", "-sha1", "-addext", SAN_LINE)
openssl_certificate("self-signed with RSA-1024", f"/CN={HOST}", "-newkey", "rsa:1024", "-addext", SAN_LINE)

openssl_certificate("self-signed for RSA-PSS alone", f"/CN={HOST}", "-newkey", "rsa-pss", "-pkeyopt",
                    "rsa_keygen_bits:2048", "-sha256", "-sigopt", "rsa_pss_saltlen:32", "-addext", SAN_LINE)

issue("strange subject", x509.Name([
    x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Zoë \u202egro.live"),
    x509.NameAttribute(NameOID.COMMON_NAME, "tab\there")]), None, [san(HOST)])
issue("client", name("u"), ROOT, [
    (x509.ExtendedKeyUsage([Eku.CLIENT_AUTH]), False),
    (x509.SubjectAlternativeName([x509.OtherName(
        ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x10deploy@localhost")]), False)])
text = {"from": f"{MADE_BY}; DER in base64; dates are 2026 to 2040 where the name says nothing",
        "certificates": certificates}
(HERE / "certificates.json").write_text(json.dumps(text, indent=2) + "\n")

MESSAGE = b"what the peer signed"
signatures = []


def spki(key):
    return base64.b64encode(key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).decode()


def record(scheme, key, *arguments):
    signatures.append({"scheme": scheme, "spki": spki(key),
                       "signature": base64.b64encode(key.sign(MESSAGE, *arguments)).decode()})


HASHES = {"sha1": hashes.SHA1(), "sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
for bits in (2048, 2049, 3072):  # 2049: the PSS encoding is a byte shorter than the modulus
    rsa_key = rsa.generate_private_key(65537, bits)
    for hash_name, algorithm in HASHES.items():
        record(f"rsa_pkcs1_{hash_name}", rsa_key, padding.PKCS1v15(), algorithm)
        if hash_name != "sha1":
            pss = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
            record(f"rsa_pss_rsae_{hash_name}", rsa_key, pss, algorithm)
for curve, scheme, hash_name in ((ec.SECP256R1(), "ecdsa_secp256r1_sha256", "sha256"),
                                 (ec.SECP384R1(), "ecdsa_secp384r1_sha384", "sha384"),
                                 (ec.SECP521R1(), "ecdsa_secp521r1_sha512", "sha512"),
                                 (ec.SECP256R1(), "ecdsa_sha1", "sha1")):
    record(scheme, ec.generate_private_key(curve), ec.ECDSA(HASHES[hash_name]))
record("ed25519", ed25519.Ed25519PrivateKey.generate())
text = {"from": MADE_BY, "message": MESSAGE.decode(), "signatures": signatures}
(HERE / "../../crypto/vectors/signatures.json").write_text(json.dumps(text, indent=2) + "\n")

PASSWORD = "Prüf-Wort 1€"
files = {}
with tempfile.TemporaryDirectory() as folder:
    at = lambda file: os.path.join(folder, file)  # noqa: E731

    def keep(label, file):
        files[label] = base64.b64encode(pathlib.Path(at(file)).read_bytes()).decode()

    def pfx(label, kind, *arguments, password=PASSWORD):
        openssl("pkcs12", "-export", "-in", at(f"{kind}.pem"), "-inkey", at(f"{kind}.key"), "-passout",
                f"pass:{password}", "-out", at("out"), *arguments)
        keep(label, "out")

    openssl("req", "-x509", "-nodes", "-newkey", "rsa:2048", "-keyout", at("rsa.key"), "-out", at("rsa.pem"), "-days",
            "5000", "-subj", "/CN=test key RSA", "-addext", "extendedKeyUsage=clientAuth", "-addext",
            "subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:deploy@localhost")
    for curve in ("P-256", "P-384", "P-521"):
        openssl("req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-keyout",
                at(f"{curve}.key"), "-out", at(f"{curve}.pem"), "-days", "5000", "-subj", f"/CN=test key {curve}")
    # A chain: root, intermediate and client, in the order openssl writes them
    for label in ("root", "client"):
        pathlib.Path(at(f"{label}.pem")).write_bytes(pem_certificate(label))
    pfx("PKCS#12, AES and SHA-256", "rsa")
    pfx("PKCS#12, AES, MAC by SHA-512", "rsa", "-macalg", "sha512")
    pfx("PKCS#12, AES, with the root beside", "rsa", "-certfile", at("root.pem"))
    pfx("PKCS#12, AES-128, P-256", "P-256", "-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC")
    pfx("PKCS#12, triple DES and RC2-40, as OpenSSL 1 wrote it", "rsa", "-legacy")
    pfx("PKCS#12, triple DES throughout, as Windows writes it", "rsa", "-legacy", "-certpbe", "PBE-SHA1-3DES")
    pfx("PKCS#12, RC2-128", "P-256", "-legacy", "-certpbe", "PBE-SHA1-RC2-128", "-keypbe", "PBE-SHA1-RC2-128")
    pfx("PKCS#12 without MAC", "P-256", "-nomac")
    pfx("PKCS#12 with certificates in the clear", "P-256", "-certpbe", "NONE")
    pfx("PKCS#12 without password", "P-256", password="")
    pfx("PKCS#12 of RC4", "P-256", "-legacy", "-certpbe", "PBE-SHA1-RC4-128", "-keypbe", "PBE-SHA1-RC4-128")
    for kind in ("rsa", "P-256", "P-384", "P-521"):
        keep(f"certificate {kind}", f"{kind}.pem")
        keep(f"PKCS#8 {kind}", f"{kind}.key")
        old = ["rsa", "-traditional"] if kind == "rsa" else ["ec"]
        openssl(*old, "-in", at(f"{kind}.key"), "-out", at("old"))
        keep(f"{'PKCS#1' if kind == 'rsa' else 'SEC 1'} {kind}", "old")
    openssl("x509", "-in", at("rsa.pem"), "-outform", "DER", "-out", at("der"))
    keep("certificate rsa in DER", "der")
    openssl("pkcs8", "-topk8", "-nocrypt", "-in", at("rsa.key"), "-outform", "DER", "-out", at("der"))
    keep("PKCS#8 rsa in DER", "der")
    for label, arguments in {
        "AES-256 and SHA-256": ["-v2", "aes-256-cbc"],
        "AES-128 and SHA-1": ["-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"],
        "AES-192 and SHA-512": ["-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA512"],
        "triple DES": ["-v2", "des3"],
        "the PKCS#12 way": ["-v1", "PBE-SHA1-3DES"],
        "scrypt": ["-scrypt"],
    }.items():
        openssl("pkcs8", "-topk8", "-in", at("P-256.key"), "-passout", f"pass:{PASSWORD}", "-out", at("out"),
                "-provider", "legacy", "-provider", "default", *arguments)
        keep(f"encrypted PKCS#8 P-256, {label}", "out")
    openssl("ec", "-in", at("P-256.key"), "-aes256", "-passout", f"pass:{PASSWORD}", "-out", at("out"))
    keep("encrypted SEC 1 P-256, the old PEM form", "out")
    openssl("genpkey", "-algorithm", "ed25519", "-out", at("out"))
    keep("PKCS#8 Ed25519", "out")
text = {"from": f"{MADE_BY}; test keys, which open nothing; base64 of the files", "password": PASSWORD, "files": files}
(HERE / "key-files.json").write_text(json.dumps(text, indent=2, ensure_ascii=False) + "\n")
