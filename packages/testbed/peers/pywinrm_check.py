#!/usr/bin/python3
"""A stranger's view of the testbed host: Debian's python3-winrm, transport ntlm, message_encryption always.

  pywinrm_check.py URL USER      the password is in the environment: FAIRLEAD_TESTBED_PASSWORD

One JSON line per check: {"check": name, "ok": bool, "got": anything}.  Exits with 1 when a check failed.
"""
import hashlib
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

from winrm.exceptions import InvalidCredentialsError, WinRMError, WinRMTransportError  # noqa: E402
from winrm.protocol import Protocol  # noqa: E402

url, user = sys.argv[1:3]
password = os.environ["FAIRLEAD_TESTBED_PASSWORD"]
failures = 0


def protocol(**changes):
    options = dict(transport="ntlm", username=user, password=password, message_encryption="always",
                   operation_timeout_sec=8, read_timeout_sec=12)
    options.update(changes)
    return Protocol(url, **options)


def run(line, **shell):
    p = protocol()
    shell_id = p.open_shell(codepage=65001, **shell)
    try:
        command = p.run_command(shell_id, line)
        try:
            return p.get_command_output(shell_id, command)
        finally:
            p.cleanup_command(shell_id, command)
    finally:
        p.close_shell(shell_id)


def check(name, expected, action):
    global failures
    try:
        got = action()
    except Exception as e:  # every failure is a result here
        got = "%s: %s" % (type(e).__name__, str(e)[:300])
    ok = got == expected
    failures += not ok
    shown = got if len(repr(got)) < 400 else repr(got)[:400]
    print(json.dumps({"check": name, "ok": ok, "got": repr(shown)}), flush=True)


def refused(**changes):
    try:
        protocol(**changes).open_shell()
    except InvalidCredentialsError:
        return "refused"
    return "let in"


def plain():
    try:
        protocol(message_encryption="never").open_shell()
    except (WinRMTransportError, WinRMError) as e:
        return getattr(e, "code", "?")
    return "let in"


def large():
    stdout, stderr, code = run("head -c 1048576 /dev/zero | tr '\\0' x; printf end")
    return len(stdout), hashlib.sha256(stdout).hexdigest(), stderr, code


def state():
    """Two commands in one shell share directory and environment; a new shell starts anew."""
    p = protocol()
    shell_id = p.open_shell(working_directory="/tmp", env_vars={"GREETING": "grüß dich"})
    out = []
    for line in ("pwd", "printf %s \"$GREETING\""):
        command = p.run_command(shell_id, line)
        out.append(p.get_command_output(shell_id, command)[0].decode())
        p.cleanup_command(shell_id, command)
    p.close_shell(shell_id)
    return out


check("stdout, stderr and exit code", (b"out\n", b"err\n", 7), lambda: run("echo out; echo err >&2; exit 7"))
check("command that does not exist", 127, lambda: run("no-such-command")[2])
check("non-ASCII", ("häßlich 日本語 🚢\n".encode(), b"", 0), lambda: run("echo 'häßlich 日本語 🚢'"))
check("1 MB", (1048579, hashlib.sha256(b"x" * 1048576 + b"end").hexdigest(), b"", 0), large)
check("directory and environment", ["/tmp\n", "grüß dich"], state)
check("a command that is silent past the operation timeout", (b"late\n", b"", 0), lambda: run("sleep 9; echo late"))
check("wrong password", "refused", lambda: refused(password=password + "x"))
check("unknown user", "refused", lambda: refused(username="FAIRLEAD\\nobody"))
check("plain envelopes", 500, plain)
sys.exit(failures > 0)
