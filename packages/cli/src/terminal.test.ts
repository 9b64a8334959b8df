import { readdirSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { printable, tell, writeLine } from './terminal.ts';

const FOREIGN = 'a\u001b]0;x\u0007b\u009b2Jc\u202ed\u200fe\u2028f\nfairlead: g\r\ud800h\u00e9😀';

async function written(write: (stream: PassThrough) => Promise<void>): Promise<string> {
  const stream = new PassThrough();
  await write(stream);
  return String(stream.read());
}

it('foreign words stay in one line and move nothing', async () => {
  expect(printable(FOREIGN)).toBe('a ]0;x b 2Jc d e f fairlead: g hé😀');
  expect(await written((stderr) => tell({ stderr }, FOREIGN))).toBe(`fairlead: ${printable(FOREIGN)}\n`);
});

it('a JSON line says them whole, without one of them in it', async () => {
  const line = await written((stdout) => writeLine({ stdout }, { text: FOREIGN, '\u202e': '\u{e0001}' }));
  expect(JSON.parse(line)).toEqual({ text: FOREIGN, '\u202e': '\u{e0001}' });
  expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
});

it('nothing that begins as ours is written but by them', () => {
  const folder = new URL('.', import.meta.url);
  for (const file of readdirSync(folder).filter((name) => /(?<!\.test)\.ts$/.test(name) && name !== 'terminal.ts')) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const [line] of source.matchAll(/.*(?:\.write|writeAll)\(.*fairlead: .*/g)) {
      expect(line, file).toContain('printable(');
    }
    expect(source, file).not.toMatch(/(?:\.write|writeAll)\([^;]*JSON\.stringify/);
  }
});
