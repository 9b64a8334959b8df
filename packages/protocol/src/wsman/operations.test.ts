import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex, utf8Encode } from '../bytes/bytes.ts';
import { attributeOf, childOf, parseXml, type XmlElement } from '../codec/xml.ts';
import { fail, isWinRmError } from '../errors.ts';
import { decodeEnvelope, encodeEnvelope, encodeIdentify, newGuid } from './envelope.ts';
import {
  createShell,
  deleteShell,
  getConfig,
  type Operation,
  readIdentity,
  receive,
  runCommand,
  send,
  signalCommand,
} from './operations.ts';
import { NAMESPACES } from './uris.ts';

const HEADER = { to: 'http://srv:5985/wsman', messageId: 'uuid:M', sessionId: 'uuid:S' };

function written(operation: Operation<unknown>): XmlElement {
  const header = { ...HEADER, ...operation, operationTimeoutSeconds: operation.timeoutSeconds };
  return parseXml(encodeEnvelope(header, operation.body), (problem) => fail('wsman.malformed', { problem }));
}

function at(root: XmlElement, ...path: readonly (readonly [keyof typeof NAMESPACES, string])[]): XmlElement {
  let place = root;
  for (const [prefix, local] of path) {
    const next = childOf(place, NAMESPACES[prefix], local);
    if (next === null) throw new Error(`no ${prefix}:${local}`);
    place = next;
  }
  return place;
}

/** A reply body with the prefixes of a stranger. */
function reply(inside: string): XmlElement {
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => `xmlns:${prefix}9="${uri}"`);
  const text = `<s9:Envelope ${declared.join(' ')}><s9:Header/><s9:Body>${inside}</s9:Body></s9:Envelope>`;
  return decodeEnvelope(text).body;
}

const CREATE = {
  codePage: 65001,
  noProfile: false,
  workingDirectory: 'C:\\Users\\Public',
  environment: { TERM: 'dumb' },
  idleTimeoutSeconds: 900,
};

describe('encodeEnvelope', () => {
  it('writes the header a server must understand, and Locale that it need not', () => {
    const root = written(createShell(CREATE));
    const header = at(root, ['s', 'Header']);
    expect(at(header, ['a', 'To']).text).toBe('http://srv:5985/wsman');
    expect(at(header, ['a', 'Action']).text).toBe('http://schemas.xmlsoap.org/ws/2004/09/transfer/Create');
    expect(at(header, ['a', 'MessageID']).text).toBe('uuid:M');
    expect(at(header, ['p', 'SessionId']).text).toBe('uuid:S');
    expect(at(header, ['w', 'MaxEnvelopeSize']).text).toBe('512000');
    expect(at(header, ['w', 'OperationTimeout']).text).toBe('PT60S');
    expect(attributeOf(at(header, ['w', 'ResourceURI']), 'mustUnderstand', NAMESPACES.s)).toBe('true');
    expect(attributeOf(at(header, ['w', 'Locale']), 'mustUnderstand', NAMESPACES.s)).toBe('false');
    expect(at(header, ['a', 'ReplyTo'], ['a', 'Address']).text).toMatch(/role\/anonymous$/);
  });

  it('asks for a Receive of 20 seconds, below the 25 at which proxies cut', () => {
    const header = at(written(receive('SH', 'C')), ['s', 'Header']);
    expect(at(header, ['w', 'OperationTimeout']).text).toBe('PT20S');
  });
});

describe('newGuid', () => {
  it('is upper case, version 4', () => {
    expect(newGuid((length) => new Uint8Array(length))).toBe('00000000-0000-4000-8000-000000000000');
    expect(newGuid((length) => new Uint8Array(length).fill(0xff))).toBe('FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF');
  });
});

describe('decodeEnvelope', () => {
  it.each([
    ['not SOAP', '<html/>'],
    ['SOAP 1.1', '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>'],
    ['no body', `<s:Envelope xmlns:s="${NAMESPACES.s}"/>`],
    ['no XML', 'Service Unavailable'],
  ])('refuses %s as wsman.malformed', (_, text) => {
    expect(() => decodeEnvelope(text)).toThrow(expect.objectContaining({ code: 'wsman.malformed' }));
  });
});

describe('createShell', () => {
  it('writes options and a body in the order of the schema', () => {
    const root = written(createShell({ ...CREATE, noProfile: true }));
    const options = at(root, ['s', 'Header'], ['w', 'OptionSet']).children;
    expect(options.map((option) => [attributeOf(option, 'Name'), option.text])).toEqual([
      ['WINRS_NOPROFILE', 'TRUE'],
      ['WINRS_CODEPAGE', '65001'],
    ]);
    const shell = at(root, ['s', 'Body'], ['rsp', 'Shell']).children;
    expect(shell.map(({ local, text }) => [local, text])).toEqual([
      ['Environment', ''],
      ['WorkingDirectory', 'C:\\Users\\Public'],
      ['IdleTimeOut', 'PT900S'],
      ['InputStreams', 'stdin'],
      ['OutputStreams', 'stdout stderr'],
    ]);
  });

  it('reads the ShellId whatever its case and padding, and keeps it verbatim', () => {
    const created = (name: string, id: string) =>
      reply(
        `<x9:ResourceCreated><a9:Address/><a9:ReferenceParameters><w9:SelectorSet><w9:Selector Name="${name}">${id}` +
          '</w9:Selector></w9:SelectorSet></a9:ReferenceParameters></x9:ResourceCreated>',
      );
    expect(createShell(CREATE).read(created('ShellId', 'AB-1'))).toBe('AB-1');
    expect(createShell(CREATE).read(created('ShellID', '\n uuid:ab-1 '))).toBe('uuid:ab-1');
    expect(() => createShell(CREATE).read(created('Other', 'x'))).toThrow(/malformed/);
    expect(() => createShell(CREATE).read(reply(''))).toThrow(/malformed/);
  });
});

describe('runCommand', () => {
  it('writes the line as it is, and the console option', () => {
    const root = written(runCommand('SH', 'echo "a & b" <x>', { hasConsoleStdin: true }));
    expect(at(root, ['s', 'Body'], ['rsp', 'CommandLine'], ['rsp', 'Command']).text).toBe('echo "a & b" <x>');
    expect(at(root, ['s', 'Header'], ['w', 'SelectorSet'], ['w', 'Selector']).text).toBe('SH');
    expect(at(root, ['s', 'Header'], ['w', 'OptionSet']).children.map(({ text }) => text)).toEqual(['TRUE', 'FALSE']);
  });

  it('reads the CommandId the server chose', () => {
    const { read } = runCommand('SH', 'x', { hasConsoleStdin: false });
    expect(read(reply('<rsp9:CommandResponse><rsp9:CommandId> C-1 </rsp9:CommandId></rsp9:CommandResponse>'))).toBe(
      'C-1',
    );
    expect(() => read(reply('<rsp9:CommandResponse/>'))).toThrow(/malformed/);
  });
});

describe('receive', () => {
  const { read } = receive('SH', 'C-1');
  const done = 'http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done';
  const response = (inside: string) => read(reply(`<rsp9:ReceiveResponse>${inside}</rsp9:ReceiveResponse>`));

  it('keeps the order of the chunks of both streams', () => {
    const { chunks, exitCode } = response(
      '<rsp9:Stream Name="stdout" CommandId="c-1">QQ==</rsp9:Stream><rsp9:Stream Name="stderr" CommandId="C-1">Qg==</rsp9:Stream>' +
        '<rsp9:Stream Name="stdout">\nQ0M=\n</rsp9:Stream><rsp9:Stream Name="stdout" CommandId="C-1" End="true"/>' +
        '<rsp9:Stream Name="pr">QQ==</rsp9:Stream>',
    );
    expect(chunks.map(({ stream, bytes }) => [stream, toHex(bytes)])).toEqual([
      ['stdout', '41'],
      ['stderr', '42'],
      ['stdout', '4343'],
    ]);
    expect(exitCode).toBeNull();
  });

  it.each([
    ['0', 0],
    ['4294967295', 4294967295],
    ['-1', -1],
    ['-1073741510', -1073741510],
  ])('reads the exit code %s', (text, code) => {
    const state = `<rsp9:CommandState CommandId="C-1" State="${done}"><rsp9:ExitCode>${text}</rsp9:ExitCode></rsp9:CommandState>`;
    expect(response(state).exitCode).toBe(code);
  });

  it('takes Done without an exit code for success, and other states for running', () => {
    expect(response(`<rsp9:CommandState State="${done}"/>`).exitCode).toBe(0);
    expect(response('<rsp9:CommandState CommandId="C-1" State="x/CommandState/Running"/>').exitCode).toBeNull();
  });

  it.each([
    ['another command', '<rsp9:Stream Name="stdout" CommandId="C-2">QQ==</rsp9:Stream>'],
    ['no base64', '<rsp9:Stream Name="stdout">!</rsp9:Stream>'],
    [
      'an absurd code',
      `<rsp9:CommandState State="${done}"><rsp9:ExitCode>4294967296</rsp9:ExitCode></rsp9:CommandState>`,
    ],
    ['a code in words', `<rsp9:CommandState State="${done}"><rsp9:ExitCode>ok</rsp9:ExitCode></rsp9:CommandState>`],
  ])('refuses %s as wsman.malformed', (_, inside) => {
    expect(() => response(inside)).toThrow(expect.objectContaining({ code: 'wsman.malformed' }));
  });
});

describe('send, signalCommand, deleteShell, getConfig', () => {
  it('writes stdin in base64 and End where the input ends', () => {
    const stream = at(
      written(send('SH', 'C', utf8Encode('dir\r\n'), false)),
      ['s', 'Body'],
      ['rsp', 'Send'],
      ['rsp', 'Stream'],
    );
    expect([stream.text, attributeOf(stream, 'Name'), attributeOf(stream, 'End')]).toEqual(['ZGlyDQo=', 'stdin', null]);
    const end = at(written(send('SH', 'C', new Uint8Array(), true)), ['s', 'Body'], ['rsp', 'Send'], ['rsp', 'Stream']);
    expect([end.text, attributeOf(end, 'End')]).toEqual(['', 'true']);
    expect(() => send('SH', 'C', new Uint8Array(), true).read(reply(''))).toThrow(/malformed/);
  });

  it.each([
    ['ctrl-c', 'ctrl_c', false],
    ['ctrl-break', 'ctrl_break', false],
    ['terminate', 'terminate', true],
  ] as const)('names the signal %s and knows whether it may be repeated', (name, code, isRepeatable) => {
    const operation = signalCommand('SH', 'C', name);
    const signal = at(written(operation), ['s', 'Body'], ['rsp', 'Signal']);
    expect(at(signal, ['rsp', 'Code']).text).toBe(
      `http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/${code}`,
    );
    expect(operation.isRepeatable).toBe(isRepeatable);
    expect(() => operation.read(reply(''))).toThrow(/malformed/);
  });

  it('repeats neither Create, Command nor Send', () => {
    const never = [
      createShell(CREATE),
      runCommand('S', 'x', { hasConsoleStdin: false }),
      send('S', 'C', new Uint8Array(), false),
    ];
    expect(never.map(({ isRepeatable }) => isRepeatable)).toEqual([false, false, false]);
    expect([deleteShell('S'), receive('S', 'C'), getConfig()].every(({ isRepeatable }) => isRepeatable)).toBe(true);
  });

  it('deletes with an empty body', () => {
    expect(at(written(deleteShell('SH')), ['s', 'Body']).children).toEqual([]);
  });

  it('reads the limits of a server', () => {
    const config = (inside: string) => getConfig().read(reply(`<cfg9:Config>${inside}</cfg9:Config>`));
    const full =
      '<cfg9:MaxEnvelopeSizekb>500</cfg9:MaxEnvelopeSizekb><cfg9:Service><cfg9:AllowUnencrypted>false</cfg9:AllowUnencrypted></cfg9:Service>';
    expect(config(full)).toEqual({ maxEnvelopeBytes: 512_000, allowUnencrypted: false });
    expect(config('')).toEqual({ maxEnvelopeBytes: null, allowUnencrypted: null });
    expect(() => getConfig().read(reply(''))).toThrow(/malformed/);
  });
});

describe('Identify', () => {
  it('is asked without addressing and read', () => {
    expect(encodeIdentify()).not.toContain('addressing');
    const identity =
      '<wsmid9:IdentifyResponse><wsmid9:ProtocolVersion>v</wsmid9:ProtocolVersion><wsmid9:ProductVendor>Microsoft Corporation' +
      '</wsmid9:ProductVendor><wsmid9:ProductVersion>OS: 0.0.0 SP: 0.0 Stack: 3.0</wsmid9:ProductVersion></wsmid9:IdentifyResponse>';
    expect(readIdentity(reply(identity))).toEqual({
      protocolVersion: 'v',
      productVendor: 'Microsoft Corporation',
      productVersion: 'OS: 0.0.0 SP: 0.0 Stack: 3.0',
    });
    expect(readIdentity(reply(''))).toBeNull();
  });

  it('is a stranger’s word, and safe to show', () => {
    const vendor = 'Good&#x9b;2J&#x9d;52;c;ZXZpbA==&#x9c;&#x202e;evil&#10;\n';
    const identity =
      `<wsmid9:IdentifyResponse><wsmid9:ProductVendor>${vendor}</wsmid9:ProductVendor>` +
      `<wsmid9:ProductVersion>${'x'.repeat(100_000)}</wsmid9:ProductVersion></wsmid9:IdentifyResponse>`;
    expect(readIdentity(reply(identity))).toEqual({
      protocolVersion: '',
      productVendor: 'Good 2J 52;c;ZXZpbA== evil',
      productVersion: 'x'.repeat(256),
    });
  });
});

describe('any reply', () => {
  it('gives a value or wsman.malformed', () => {
    const names = [
      'rsp9:ReceiveResponse',
      'rsp9:Stream',
      'rsp9:CommandState',
      'x9:ResourceCreated',
      's9:Fault',
      'cfg9:Config',
    ];
    const { tree } = fc.letrec((tie) => ({
      tree: fc
        .tuple(fc.constantFrom(...names), fc.constantFrom('', ' Name="stdout"', ' Name="ShellId"'), tie('inside'))
        .map(([name, attributes, inside]) => `<${name}${attributes}>${String(inside)}</${name}>`),
      inside: fc.oneof({ maxDepth: 4 }, fc.constantFrom('', 'QQ==', '-1'), tie('tree')),
    }));
    const operations = [
      createShell(CREATE),
      receive('S', 'C'),
      getConfig(),
      runCommand('S', 'x', { hasConsoleStdin: true }),
    ];
    fc.assert(
      fc.property(tree, fc.constantFrom(...operations), (text, operation) => {
        try {
          operation.read(reply(String(text)));
        } catch (error) {
          expect(isWinRmError(error, 'wsman.malformed')).toBe(true);
        }
      }),
    );
  });
});
