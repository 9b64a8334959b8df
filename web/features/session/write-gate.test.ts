import { describe, expect, test } from 'vitest';
import { WriteGate } from './write-gate.ts';

describe('WriteGate', () => {
  test('is open below the high mark', async () => {
    const gate = new WriteGate(100, 20);
    gate.wrote(99);
    await gate.ready();
    expect(gate.pending).toBe(99);
  });

  test('closes at the high mark and opens at the low one, not before', async () => {
    const gate = new WriteGate(100, 20);
    gate.wrote(100);
    let isOpen = false;
    const waiting = gate.ready().then(() => {
      isOpen = true;
    });
    gate.drained(79);
    await Promise.resolve();
    expect(isOpen).toBe(false);
    gate.drained(1);
    await waiting;
    expect(isOpen).toBe(true);
  });

  test('never counts below zero', () => {
    const gate = new WriteGate();
    gate.drained(5);
    expect(gate.pending).toBe(0);
  });
});
