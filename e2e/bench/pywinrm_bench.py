#!/usr/bin/python3
"""Debian's python3-winrm, measured: opens a shell, runs one command, takes its output.

  pywinrm_bench.py URL USER COMMAND [PROXY]      the password is in the environment: BENCH_PASSWORD

One line of JSON: seconds and CPU seconds from the command's start to its end, bytes and SHA-256 of its output.
"""
import hashlib
import json
import os
import sys
import time

here = os.path.dirname(os.path.abspath(__file__))
if "OPENSSL_CONF" not in os.environ:            # NTLM needs MD4: OpenSSL's legacy provider
    os.environ["OPENSSL_CONF"] = os.path.join(here, "../peers/clients/openssl-legacy.cnf")
    os.execv(sys.executable, [sys.executable, *sys.argv])
url, user, command = sys.argv[1:4]
proxy = sys.argv[4] if len(sys.argv) > 4 else ""
for name in ("no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "http_proxy", "https_proxy"):
    for variable in (name, name.upper()):
        os.environ.pop(variable, None)
        if proxy and name in ("http_proxy", "https_proxy"):
            os.environ[variable] = proxy
from winrm.protocol import Protocol  # noqa: E402  (after the environment is set)

p = Protocol(url, transport="ntlm", username=user, password=os.environ["BENCH_PASSWORD"],
             message_encryption="always", operation_timeout_sec=20, read_timeout_sec=30)
shell = p.open_shell(codepage=65001)
running = p.run_command(shell, command)
start, cpu = time.perf_counter(), time.process_time()
stdout, stderr, code = p.get_command_output(shell, running)
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
p.cleanup_command(shell, running)
p.close_shell(shell)
print(json.dumps({"seconds": seconds, "cpuSeconds": cpu, "bytes": len(stdout), "code": code,
                  "sha256": hashlib.sha256(stdout).hexdigest()}))
