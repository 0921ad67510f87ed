import { expect, test } from 'vitest';
import { letGo } from '../../../appliance/net/letGo.ts';

test('A chunk that has its memory to itself is empty afterwards', () => {
  const chunk = Buffer.from(new ArrayBuffer(16 << 10));
  letGo(chunk);
  expect(chunk.length).toBe(0);
});

test('A part of a larger buffer, and memory that threads share, are left alone', () => {
  const whole = Buffer.from(new ArrayBuffer(16 << 10));
  const shared = Buffer.from(new SharedArrayBuffer(1 << 10));
  for (const chunk of [whole.subarray(0, 100), whole.subarray(100), shared]) letGo(chunk);
  expect([whole.length, shared.length]).toEqual([16 << 10, 1 << 10]);
});
