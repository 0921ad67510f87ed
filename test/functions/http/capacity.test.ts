import { expect, it } from 'vitest';
import type { Capacity } from '../../../shared/policy/capacity.ts';
import { withWave } from '../../fakes/reach.ts';
import { startApi } from './api.ts';

const { api } = await startApi();

async function capacityOf(capacity: Capacity) {
  const { ask, reach } = api();
  await withWave(reach);
  reach.azure = { ...reach.azure, capacity: async () => capacity };
  return ask('GET', '/api/waves/w1/capacity', { as: 'alan' });
}

it('a wave says of which quota it needs how much, and what it is short of', async () => {
  const { status, body } = await capacityOf({
    known: true,
    facts: {
      region: 'westeurope',
      usages: [{ name: 'cores', used: 9, limit: 10 }],
      sizes: [{ name: 'Standard_D2s_v5', family: 'standardDSv5Family', cores: 2 }],
    },
  });
  expect(status).toBe(200);
  expect(body.quotas).toEqual([{ name: 'cores', used: 9, limit: 10, needed: 2 * body.machines }]);
  expect(body.shortfalls).toMatchObject([{ kind: 'quota', message: expect.stringContaining('1 of 10 are free') }]);
});

it('a subscription that may not be asked is told as not known, with the way out', async () => {
  const { status, body } = await capacityOf({ known: false, reason: 'Grant Reader.' });
  expect([status, body.known, body.reason]).toEqual([200, false, 'Grant Reader.']);
});
