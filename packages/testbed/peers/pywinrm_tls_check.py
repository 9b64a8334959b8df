#!/usr/bin/python3
"""A stranger's view of the testbed host with TLS: Debian's python3-winrm with ntlm, basic and certificate.

  pywinrm_tls_check.py URL USER SERVER_PEM CLIENT_PEM CLIENT_KEY HARDENING

The password is in the environment: FAIRLEAD_TESTBED_PASSWORD.  SERVER_PEM is the one certificate that is trusted;
HARDENING is what a logon without channel binding meets: none, relaxed, strict.  One JSON line per check, as
pywinrm_check.py prints them.  Exits with 1 when a check failed.
"""
import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
if "OPENSSL_CONF" not in os.environ:  # read once, when OpenSSL starts
    os.environ["OPENSSL_CONF"] = os.path.join(here, "openssl-legacy.cnf")
    os.execv(sys.executable, [sys.executable, *sys.argv])
for name in ("no_proxy", "http_proxy", "https_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    for variable in (name, name.upper()):
        os.environ.pop(variable, None)

from winrm.exceptions import InvalidCredentialsError  # noqa: E402
from winrm.protocol import Protocol  # noqa: E402

url, user, server_pem, client_pem, client_key, hardening = sys.argv[1:7]
password = os.environ["FAIRLEAD_TESTBED_PASSWORD"]
failures = 0


def run(**changes):
    options = dict(username=user, password=password, ca_trust_path=server_pem,
                   operation_timeout_sec=8, read_timeout_sec=12)
    options.update(changes)
    p = Protocol(url, **options)
    try:
        shell_id = p.open_shell(codepage=65001)
    except InvalidCredentialsError:
        return "refused"
    command = p.run_command(shell_id, "echo out; echo err >&2; exit 7")
    result = p.get_command_output(shell_id, command)
    p.cleanup_command(shell_id, command)
    p.close_shell(shell_id)
    return result


def check(name, expected, **options):
    global failures
    try:
        got = run(**options)
    except Exception as e:  # every failure is a result here
        got = "%s: %s" % (type(e).__name__, str(e)[:300])
    ok = got == expected
    failures += not ok
    print(json.dumps({"check": name, "ok": ok, "got": repr(got)}), flush=True)


ran = (b"out\n", b"err\n", 7)
unbound = "refused" if hardening == "strict" else ran
certificate = dict(transport="certificate", cert_pem=client_pem, cert_key_pem=client_key)
check("ntlm, bound to the channel", ran, transport="ntlm")
check("ntlm, bound, sealed inside TLS", ran, transport="ntlm", message_encryption="always")
check("ntlm, not bound", unbound, transport="ntlm", send_cbt=False)
check("ntlm, wrong password", "refused", transport="ntlm", password=password + "x")
check("basic", ran, transport="basic")
check("basic, wrong password", "refused", transport="basic", password=password + "x")
check("certificate", ran, **certificate)
sys.exit(failures > 0)
