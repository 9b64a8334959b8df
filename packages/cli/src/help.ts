import { EXIT_CODE_TEXTS } from './exit-codes.ts';

const OVERVIEW = `fairlead: remote Windows shells (WinRM) from this terminal, through proxies where needed

  fairlead identify --target HOST                      is there WinRM, and what does it offer?
  fairlead exec --target HOST --user NAME -- COMMAND   run one command
  fairlead shell --target HOST --user NAME             an interactive cmd.exe
  fairlead check-road --target HOST --user NAME        does the road there keep connections together?
  fairlead help exec|shell|identify|check-road|roads|trust|exit-codes   more about one of them

A first try:

  fairlead identify --target srv1.corp
  fairlead exec --target srv1.corp --user 'CORP\\ana' -- ipconfig /all
  fairlead exec --target https://srv1.corp --ca corp-ca.pem --user 'CORP\\ana' -- hostname
  fairlead exec --target srv1.corp --proxy http://proxy.corp:3128 --user 'CORP\\ana' -- hostname

The password comes from FAIRLEAD_PASSWORD or is asked for; it is never an argument, because other users of this
machine can read the arguments of your commands.
`;

const SETTINGS = `  -t, --target HOST      host, host:port, http://host:5985/wsman, https://host:5986/wsman, or DOMAIN\\user@host;
                         5985 if nothing is said, and host:5986 is https
      --pin SHA256       https: the host must show this certificate (its thumbprint); may be given more than once
      --ca FILE          https: certificates that may vouch for the host, PEM or DER; see: fairlead help trust
      --legacy-tls       https: let suites with SHA-1 in, for hosts as old as Windows Server 2012 R2
  -p, --proxy URL        http://proxy:3128, https://proxy or socks5://proxy:1080; more than once for a road through
                         several, nearest first
      --pac FILE|URL     ask this proxy auto-config script which road to take (instead of --proxy)
      --proxy-settings FILE|-|env   take the road from settings: the output of "netsh winhttp show proxy", of
                         "reg query" for Internet Settings, HTTPS_PROXY=… lines; "-" reads standard input, and "env"
                         this environment, which is never looked at otherwise
      --proxy-user NAME  who signs in to the proxy; the first goes with the first --proxy, and so on. The password
                         comes from FAIRLEAD_PROXY_PASSWORD (_2, _3 … for the further ones) or is asked for
      --proxy-auth HOW   auto (default: the best the proxy offers), negotiate, ntlm, digest or basic
      --proxy-ca FILE    certificates that may vouch for an https:// proxy besides the usual ones, PEM
      --proxy-form FORM  what the last proxy does: tunnel (default), forward, or auto: forward if it refuses to tunnel
      --forward          the same as --proxy-form forward (see: fairlead help roads)
      --journal FILE     write what happened, one JSON line per event; it contains no password and no output
      --json             JSON lines on standard output`;

const SIGN_IN = `  -u, --user NAME        DOMAIN\\name, MACHINE\\name, name@realm or name
      --auth POLICY      negotiate (default: NTLM inside SPNEGO), negotiate-raw (NTLM under Negotiate), ntlm;
                         over https also basic, and certificate (no --user)
      --cert FILE        the certificate to log on with and its key, .pfx or PEM; twice for two files. A password
                         comes from FAIRLEAD_CERT_PASSWORD or is asked for
      --seal always      encrypt messages with the keys of the sign-in inside TLS too
      --code-page N      how text is written on the other side; 65001 (UTF-8) if not given
      --no-profile       do not load the user's profile
      --cwd FOLDER       remote folder to start in
      --env NAME=VALUE   remote environment variable; may be given more than once`;

const TOPICS: Readonly<Record<string, string>> = {
  exec: `fairlead exec --target HOST --user NAME [options] -- COMMAND…

Runs one command through cmd.exe. The words after -- are joined by single spaces and sent as they are, so quote for
cmd.exe, not for this shell. Standard output and standard error arrive apart and byte for byte; standard input is
passed on when it is not a terminal. The exit code is the remote one. Ctrl+C interrupts the remote command; a second
one within three seconds closes the shell.

${SETTINGS}
${SIGN_IN}

With --json each line is {"type":"output","stream":…,"text":…}, then {"type":"exit","signed":…,"unsigned":…}, or
{"type":"error","code":…,"message":…,"hint":…,"details":…}. {"type":"gap"} stands where output may be missing because
the connection was lost; without --json a line on standard error says so.

  fairlead exec -t srv1 -u 'CORP\\ana' -- dir C:\\inetpub
  cat users.csv | fairlead exec -t srv1 -u ana@corp.example -- sort
  FAIRLEAD_PASSWORD=… fairlead exec -t srv1 -u 'SRV1\\admin' --json -- systeminfo /fo csv
`,
  shell: `fairlead shell --target HOST --user NAME [options]

An interactive cmd.exe: folder and variables stay from line to line. Lines are edited here and sent when you press
Enter; the other side has no terminal, so full-screen programs do not work. Ctrl+C interrupts what runs, a second one
within three seconds closes the shell; "exit" or Ctrl+D ends it.

${SETTINGS}
${SIGN_IN}
`,
  identify: `fairlead identify --target HOST [options]

Asks what answers there, without signing in. An https host tells protocol version, vendor and product version; over
http nothing is said in the clear, so there it is the sign-ins that are offered.

${SETTINGS}
`,
  'check-road': `fairlead check-road --target HOST --user NAME [options]

Windows sign-in belongs to one connection, and some proxies put requests on others. This signs in once, sends requests
that ask for nothing but an answer over that connection, and says whether all of them came to where the sign-in was.
Nothing is changed on the host, and nothing is asked twice.

      --count N          how many requests, 1 to 100; 10 if not given

${SETTINGS}
${SIGN_IN}

It says, line by line, which road was walked, how the sign-in went, how many requests were answered, whether the
connection was kept, and, where the account may read it, whether the host would take unencrypted messages. The exit code
is 0 when the road keeps connections (or the sign-in does not need it), 66 when a proxy does not, and otherwise as ever.
With --json it is one line: {"type":"road","verdict":"kept"|"moved"|"closed"|"unbound",…}.
`,
  roads: `Roads

Direct: no --proxy. One TCP connection to the host per lane (one for commands, one for output).

--proxy http://proxy:3128: the proxy is asked with CONNECT to open a tunnel. It sees host, port, sizes and times.
Names are resolved by the last proxy. Several --proxy build a road through all of them, nearest first.

A proxy that wants its own sign-in gets it with --proxy-user: Negotiate or NTLM before Digest before Basic. Basic and
SOCKS show the password to everybody between here and the proxy; with --proxy-auth ntlm and the like it is never sent.
It needs an https target, because WinRM behind such a proxy is to be encrypted by TLS. For an http target, whose messages
are sealed but whose sign-in can be seen by the proxy, there is --danger-http-behind-authenticated-proxy.

--proxy … --forward: the proxy is handed whole HTTP requests. Only sealed messages go that way. It works only with
proxies that keep your connection and the host's together (Squid does; many others do not).

--proxy … --proxy-form auto: the proxy is asked for a tunnel first. Where it refuses the method or the port, requests
are forwarded instead, and a note says so; never to an https target, nor behind a proxy that wants a sign-in.

--pac proxy.pac, --pac http://wpad/wpad.dat: the script is asked about the target, in an evaluator that gives it no network
and no power over this program; names it wants resolved are not, and are listed. What it says is printed, and its
proxies are tried in order as far as they cannot be talked to at all. One that answers "no" has answered.

--proxy-settings FILE, - or env: settings as Windows, WinHTTP, browsers and other programs print them, exceptions
included. Without it HTTPS_PROXY and its like are never read. Credentials in it are dropped: see --proxy-user.

To an https target TLS is spoken from here to the host; proxies carry it unread, and --forward is refused.

Over http messages are encrypted with keys from the sign-in, but the sign-in itself can be seen on the way: user name,
domain, and an answer from which a weak password can be guessed offline.
`,
  trust: `Trust

Over https the host shows a certificate. It is trusted when

  --pin SHA256   its SHA-256 thumbprint is one of these; then nothing else counts, not even a date or a name; or
  --ca FILE      it leads to a certificate of this file, names the host, and is valid today.

Without either it is refused, and the refusal prints what it shows and the --pin that would trust it. Compare that
thumbprint with the one on the host before you use it:

  Get-ChildItem Cert:\\LocalMachine\\My | ForEach-Object {
    [BitConverter]::ToString([Security.Cryptography.SHA256]::Create().ComputeHash($_.RawData)) }

A certificate that takes the place of a pinned one is refused without such advice: ask whoever runs the host first.
The operating system's own roots are not used: a proxy that inspects TLS is often among them.
`,
  'exit-codes': `Exit codes

0 to 255 come from the remote command. fairlead's own failures use numbers from 64 upwards, which a remote command may
use as well; the text on standard error tells which it was.

${EXIT_CODE_TEXTS.map(([code, text]) => `${String(code).padStart(5)}  ${text}`).join('\n')}
`,
};

/** The help text for a topic, or the overview. */
export function helpText(topic: string | null): string {
  return (topic === null ? undefined : TOPICS[topic]) ?? OVERVIEW;
}
