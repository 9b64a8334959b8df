/** Spellings of hosts and ports that must lead nowhere, for tests of everything that judges one. */

/** Loopback, metadata, private, "this host", a private network, and one public address that is allowed as it is. */
const ADDRESSES = [
  [127, 0, 0, 1],
  [169, 254, 169, 254],
  [10, 1, 2, 3],
  [0, 0, 0, 0],
  [192, 168, 1, 1],
  [8, 8, 8, 8],
] as const;

/** Names that every system takes for itself, or that clouds answer with secrets. RFC 6761, section 6.3 */
export const LOCAL_NAMES: readonly string[] = [
  ...['localhost', 'LOCALHOST', 'LocalHost', 'a.localhost', 'x.y.localhost', 'localhost.localdomain'],
  ...['localhost4', 'localhost6', 'localhost4.localdomain4', 'localhost6.localdomain6', 'ip6-localhost'],
  ...['ip6-loopback', 'loopback', 'ip6-localnet', 'ip6-allnodes', 'ip6-allrouters', 'broadcasthost'],
  ...['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data', 'instance-data.ec2.internal'],
];

/** Spellings of an address that are not its one canonical spelling. */
export function oddAddresses(): string[] {
  return [...ADDRESSES.flatMap(oddSpellingsOf), ...SPECIAL_ADDRESSES];
}

/** Spellings near a name that is allowed, srv1.corp, or below one, lab.example: none of them is it. */
export function oddNames(): string[] {
  return [
    ...['srv1.corp.', 'srv1.corp..', '.srv1.corp', 'srv1..corp', 'srv1.corp\0', 'srv1.corp%00.evil', 'srv1.corp@evil'],
    ...['evil@srv1.corp', 'evil/srv1.corp', 'srv1.corp/evil', 'srv1.corp\\evil', 'srv1.corp#x', 'srv1.corp?x'],
    ...['srv1.corp evil', 'srv1.corp\r\nHost: evil', 'srv1\u3002corp', 'srv1\uff0ecorp', 'ſrv1.corp', 'srv1.cor\u1d56'],
    ...['srv1.corp.evil', 'xsrv1.corp', 'x.srv1.corp', 'lab.example', '.lab.example', '*.lab.example', 'xlab.example'],
    ...['-a.lab.example', 'a-.lab.example', 'a..lab.example', 'a.lab.example.evil', `${'a'.repeat(64)}.lab.example`],
    ...['a.lab.example:5985', 'a.lab.example,b', 'ä.lab.example', 'a\u200d.lab.example', 'a\u00ad.lab.example'],
    ...['', '.', '..', '*', '[]', ':', '::/0', '/', '@', '%', '\0', '\r\n', '\u2028', '\ud800', '127.0.0.1,srv1.corp'],
    ...['srv1.corp;', 'srv1.corp|x', 'srv1.corp&x', 'srv1.corp`x`', 'srv1.corp$x', 'srv1.corp\u0000srv1.corp'],
    ...[' srv1.corp', 'srv1.corp ', '\tsrv1.corp', 'srv1.corp\t', 'srv1.corp\n', 'srv1.corp\v', 'srv1.corp\u00a0'],
    ...[
      'http://srv1.corp',
      '//srv1.corp',
      'srv1.corp:80',
      'srv1.corp%2eevil',
      'srv1%2ecorp',
      'srv1.corp%2f',
      'srv1,corp',
    ],
    `${'a.'.repeat(130)}lab.example`,
    'k.corp'.replace('k', '\u212a'),
    'srv1.corp'.replace('c', '\u0441'),
    'srv1.corp'.replaceAll(/[a-z]/g, (letter) => String.fromCodePoint(0xff41 + letter.charCodeAt(0) - 97)),
  ];
}

function oddSpellingsOf(bytes: readonly [number, number, number, number]): string[] {
  const [a, b, c, d] = bytes;
  const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (n: number) => `0x${n.toString(16)}`;
  const octal = (n: number) => `0${n.toString(8)}`;
  const dotted = bytes.join('.');
  const mapped = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const digits = (zero: number) => dotted.replace(/[0-9]/g, (digit) => String.fromCodePoint(zero + Number(digit)));
  return [
    // numbers as inet_aton reads them
    ...[`${number}`, hex(number), octal(number), `0x${number.toString(16).padStart(8, '0').toUpperCase()}`],
    ...[bytes.map(hex).join('.'), bytes.map(octal).join('.'), bytes.map((n) => `${n}`.padStart(4, '0')).join('.')],
    ...[`${a}.${(b << 16) | (c << 8) | d}`, `${a}.${b}.${(c << 8) | d}`, `${hex(a)}.${b}.${c}.${d}`],
    ...[`${a}.${b}.${c}.${octal(d)}`, `${a}.${b}.${c}.0${d}`, `${number + 2 ** 32}`, `${a + 256}.${b}.${c}.${d}`],
    ...[`${a}.${b}.${c}.${d}.0`, `0.${dotted}`, `+${dotted}`, `-${number}`, `${number}.`, `0X${number.toString(16)}`],
    // something around it
    ...[`${dotted}.`, `.${dotted}`, ` ${dotted}`, `${dotted} `, `${dotted}\t`, `${dotted}\n`, `${dotted}\0`],
    ...[`${dotted}%00`, `${dotted}/`, `${dotted}#`, `${dotted}?`, `${dotted}:5985`, `user@${dotted}`, `x:y@${dotted}`],
    ...[`${dotted}@x`, `[${dotted}]`, `http://${dotted}`, `${dotted}\r\n`, `\0${dotted}`, `${dotted}\0.srv1.corp`],
    // other dots and digits
    ...[dotted.replaceAll('.', '%2e'), dotted.replaceAll('.', '\u3002'), dotted.replaceAll('.', '\uff0e')],
    ...[dotted.replaceAll('.', '\uff61'), digits(0xff10), digits(0x0660), digits(0x1d7ce), digits(0x2070)],
    // wrapped in IPv6
    ...[`::ffff:${dotted}`, `::ffff:${mapped}`, `0:0:0:0:0:ffff:${mapped}`, `::FFFF:${mapped}`, `::${dotted}`],
    ...[`::${mapped}`, `::ffff:0:${mapped}`, `64:ff9b::${dotted}`, `64:ff9b::${mapped}`, `64:ff9b:1::${mapped}`],
    ...[`2002:${mapped}::`, `2001:0:${mapped}::1`, `[::ffff:${mapped}]`, `::ffff:${mapped}%lo`, `fe80::5efe:${dotted}`],
  ];
}

const SPECIAL_ADDRESSES: readonly string[] = [
  ...['::1', '0::1', '::', '::0', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '[::1]', '::1%lo'],
  ...['::1%1', '::1%25lo', '::1/128', 'fe80::1', 'fe80::1%eth0', 'fe80::1%25eth0', 'ff02::1', 'ff01::1', '1::1'],
  ...['fd00:ec2::254', 'fc00::1', 'fec0::1', '2001:db8::1', '4000::1', '5f00::1', '100::1', '2001:10::1'],
  ...['127.0.0.1', '169.254.169.254', '0.0.0.0', '192.168.1.1', '::ffff:127.0.0.1', '::ffff:0:0'],
  ...['127.0.0.2', '127.1.2.3', '127.255.255.254', '100.100.100.200', '168.63.129.16', '100.64.0.1', '169.254.170.2'],
  ...['169.254.0.1', '172.16.0.1', '172.31.255.254', '192.0.0.192', '192.0.0.1', '224.0.0.1', '255.255.255.255'],
  ...['240.0.0.1', '0.0.0.1', '192.88.99.1', '198.18.0.1', '192.0.2.1', '198.51.100.1', '203.0.113.1', '3fff::1'],
  ...[
    '127.1',
    '127',
    '0',
    '0x0',
    '00',
    '0x',
    '127.0.1',
    '0177.1',
    '127.0.0.1.',
    '1',
    '256.256.256.256',
    '999999999999',
  ],
];

/** JSON for a port that is not a whole number from 1 to 65535, as it would stand in a request. */
export const ODD_PORTS: readonly string[] = [
  ...['0', '-1', '65536', '65537', '131072', '4294967297', '1e5', '1e999', '80.5', '0.1', '-0', '-80'],
  ...['"80"', '"+80"', '"080"', '"0x50"', '"80 "', '" 80"', '"80\\u0000"', '"１２３"', '"٨٠"', '""', '"http"'],
  ...['null', 'true', 'false', '[]', '[80]', '{}', '{"port":80}', '"80:80"', '"80@1"', '"1-65535"', '"*"'],
];
