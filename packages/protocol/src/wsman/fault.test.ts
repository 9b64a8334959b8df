import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeEnvelope } from './envelope.ts';
import { decodeFault, failWithFault, faultMeaning, faultMeanings, isFarewell } from './fault.ts';
import { NAMESPACES, WMI_ERROR_NAMESPACE } from './uris.ts';

interface Parts {
  code?: string;
  subcode?: string;
  message?: string;
  detail?: string;
}

function fault({ code = '', subcode = 'w:InternalError', message = 'words', detail }: Parts) {
  const winrm = `<f:WSManFault xmlns:f="${NAMESPACES.f}" Code="${code}" Machine="SRV1"><f:Message>${message}</f:Message></f:WSManFault>`;
  const text =
    `<s:Envelope xmlns:s="${NAMESPACES.s}" xmlns:w="${NAMESPACES.w}"><s:Body><s:Fault><s:Code><s:Value>s:Receiver</s:Value>` +
    `<s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">the reason</s:Text>` +
    `</s:Reason><s:Detail>${detail ?? winrm}</s:Detail></s:Fault></s:Body></s:Envelope>`;
  const found = decodeFault(decodeEnvelope(text).body);
  if (found === null) throw new Error('no fault');
  return found;
}

const raised = (parts: Parts) => {
  try {
    failWithFault(fault(parts), { timeoutSeconds: 20, requestBytes: 2000, limitBytes: 1000 });
  } catch (error) {
    return error;
  }
};

describe('decodeFault', () => {
  it('reads number, subcode, machine and the words of nested provider faults', () => {
    const message =
      'outer <f:ProviderFault provider="p" path="q"><f:WSManFault>inner&#x85;</f:WSManFault></f:ProviderFault>';
    expect(fault({ code: '2150858843', subcode: 'w:InvalidSelectors', message })).toEqual({
      code: '2150858843',
      subcode: 'InvalidSelectors',
      text: 'outer inner',
      machine: 'SRV1',
    });
  });

  it('falls back to the reason, and to the number of a WMI error', () => {
    const detail = `<e:MSFT_WmiError_Type xmlns:e="${WMI_ERROR_NAMESPACE}"><e:error_Code>2150859173</e:error_Code></e:MSFT_WmiError_Type>`;
    expect(fault({ detail })).toMatchObject({ code: '2150859173', text: 'the reason' });
    expect(fault({ detail: '', subcode: '<!-- -->' })).toMatchObject({
      code: '',
      subcode: '',
      text: 'the reason',
      machine: '',
    });
  });

  it('shortens what a server says, and takes no number that is none', () => {
    expect(fault({ message: 'x'.repeat(5000) }).text).toHaveLength(2000);
    expect(fault({ code: '0x80338029' }).code).toBe('');
    expect(fault({ code: '99999999999' }).code).toBe('');
  });

  it('is null for an answer', () => {
    expect(decodeFault(decodeEnvelope(`<s:Envelope xmlns:s="${NAMESPACES.s}"><s:Body/></s:Envelope>`).body)).toBeNull();
  });
});

describe('failWithFault', () => {
  it.each([
    ['5', '', 'wsman.access-denied', { code: '5', text: 'words' }],
    ['', 'w:AccessDenied', 'wsman.access-denied', { code: '', text: 'words' }],
    ['2150858793', 'w:TimedOut', 'wsman.timed-out', { seconds: 20 }],
    ['', 'q:TimedOut', 'wsman.timed-out', { seconds: 20 }],
    ['2150858843', '', 'wsman.shell-gone', { code: '2150858843', text: 'words' }],
    ['', 'w:InvalidSelectors', 'wsman.shell-gone', { code: '', text: 'words' }],
    ['2150859173', 'w:QuotaLimit', 'wsman.quota', { code: '2150859173', text: 'words', quota: 'shells' }],
    ['2150859174', '', 'wsman.quota', { code: '2150859174', text: 'words', quota: 'operations' }],
    ['', 'w:QuotaLimit', 'wsman.quota', { code: '', text: 'words', quota: 'other' }],
    ['', 'w:EncodingLimit', 'wsman.envelope-too-large', { bytes: 2000, limitBytes: 1000 }],
    ['995', '', 'wsman.fault', { code: '995', subcode: '', text: 'words', machine: 'SRV1' }],
    [
      '123456',
      'w:InternalError',
      'wsman.fault',
      { code: '123456', subcode: 'InternalError', text: 'words', machine: 'SRV1' },
    ],
  ])('turns number "%s" and subcode "%s" into %s', (code, subcode, error, details) => {
    expect(raised({ code, subcode: subcode || '<!-- -->' })).toMatchObject({ code: error, details });
  });
});

describe('faultMeaning', () => {
  it('names what a person meets, and nothing else', () => {
    expect(faultMeaning('2150859173')).toBe('too-many-shells');
    expect(faultMeaning('5')).toBe('access-denied');
    expect(faultMeaning('4711')).toBeNull();
  });

  it('has a sentence for everything it names', () => {
    const messages = JSON.parse(readFileSync(new URL('../../../../web/messages/en.json', import.meta.url), 'utf8')) as {
      faults: Record<string, string>;
    };
    expect(Object.keys(messages.faults).sort()).toEqual([...faultMeanings()].sort());
  });

  it('knows which faults only say goodbye', () => {
    expect(['995', '1223', '2150858843', '5'].map(isFarewell)).toEqual([true, true, true, false]);
  });
});
