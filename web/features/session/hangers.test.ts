import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findHanger } from './hangers.ts';

describe('findHanger', () => {
  test.each([
    ['vim notes.txt', 'vim', 'editor'],
    ['type big.txt | more', 'more', 'pager'],
    ['cd \\ && PAUSE', 'pause', 'key-press'],
    ['"C:\\Program Files\\Python\\python.exe"', 'python', 'interpreter'],
    ['python -i', 'python', 'interpreter'],
    ['diskpart', 'diskpart', 'asks'],
    ['ssh ana@host', 'ssh', 'password'],
    ['powershell -NoProfile', 'powershell', 'interpreter'],
    ['@date', 'date', 'asks'],
  ])('warns about %s', (line, program, kind) => {
    expect(findHanger(line)).toMatchObject({ program, kind });
  });

  test.each([
    'diskpart /s wipe.txt',
    'python report.py',
    'python -c "print(1)"',
    'powershell -Command Get-Process',
    'powershell Get-Process',
    'date /t',
    'nslookup host',
    'echo vim | find "pause"',
    'more < file.txt',
    'choice /t 1 /d y',
    'dir',
    '',
    '   ',
  ])('is silent about %s', (line) => {
    expect(findHanger(line)).toBeNull();
  });

  test('offers the form that works with the name that was typed', () => {
    expect(findHanger('py')?.instead).toBe('py -c "print(1)"');
    expect(findHanger('pwsh')?.instead).toBe('pwsh -NoProfile -Command "Get-Process"');
    expect(findHanger('nano x')?.instead).toBe('type file.txt');
  });

  test('takes any text', () => {
    fc.assert(
      fc.property(fc.string(), (line) => {
        findHanger(line);
      }),
    );
  });
});
