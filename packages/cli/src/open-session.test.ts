import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Journal } from '@fairlead/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCommandLine } from './arguments.ts';
import { roadFromHere, writeJournal } from './open-session.ts';
import type { Terminal } from './terminal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fairlead-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('writeJournal', () => {
  it.each([false, true])('is for the owner only, and begins empty; there was a file already: %s', (isThere) => {
    const file = join(folder, 'journal.jsonl');
    if (isThere) {
      writeFileSync(file, 'old words that are longer than what will be written');
      chmodSync(file, 0o644);
    }
    const journal = new Journal(() => 1);
    journal.record({ event: 'state', state: 'idle' });
    writeJournal(journal, file);
    journal.record({ event: 'state', state: 'ready' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const states = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(states.map((line) => JSON.parse(line).what.state)).toEqual(['idle', 'ready']);
  });

  it('follows no symbolic link and says why nothing is written', () => {
    const [target, link] = [join(folder, 'target'), join(folder, 'link')];
    writeFileSync(target, 'kept');
    symlinkSync(target, link);
    expect(() => writeJournal(new Journal(() => 1), link)).toThrow('The journal cannot be written');
    expect(readFileSync(target, 'utf8')).toBe('kept');
  });
});

describe('roadFromHere', () => {
  const WORDS = ['identify', '-t', 'https://srv1', '-p', 'http://a:1', '-p', 'http://b:2', '-p', 'http://c:3'];
  const USERS = ['--proxy-user', 'ana', '--proxy-user', '', '--proxy-user', 'bob'];

  const openWith = async (environment: Record<string, string>, answer: string | null) => {
    const questions: string[] = [];
    const terminal: Terminal = {
      ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough(), environment },
      askSecret: (question) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
      onInterrupt: () => () => undefined,
    };
    const request = parseCommandLine([...WORDS, ...USERS]);
    if (request.verb !== 'identify') throw new Error('another verb');
    await roadFromHere(request, terminal);
    return questions;
  };

  it('takes each proxy’s password from its variable, or asks, naming the proxy', async () => {
    expect(await openWith({ FAIRLEAD_PROXY_PASSWORD: 'x', FAIRLEAD_PROXY_PASSWORD_3: 'y' }, null)).toEqual([]);
    expect(await openWith({ FAIRLEAD_PROXY_PASSWORD: 'x' }, 'typed')).toEqual(['Password for bob at the proxy c:3: ']);
  });

  it('names the variable when there is nobody to ask', async () => {
    await expect(openWith({ FAIRLEAD_PROXY_PASSWORD: 'x' }, null)).rejects.toThrow('set FAIRLEAD_PROXY_PASSWORD_3');
  });
});
