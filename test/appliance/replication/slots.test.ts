import { afterEach, expect, it } from 'vitest';
import { HashPool } from '../../../appliance/replication/hashPool.ts';
import { Slots } from '../../../appliance/replication/slots.ts';

const slots = new Slots(2, new HashPool(0));
afterEach(() => slots.rest());

it('lends no more blocks than there are, and the next one to whom holds least', async () => {
  const order: string[] = [];
  const ends: (() => void)[] = [];
  const hold = (name: string, share: ReturnType<typeof slots.share>) =>
    share.use(() => {
      order.push(name);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  const [slow, quick] = [slots.share(), slots.share()];
  const all = [hold('slow 1', slow), hold('slow 2', slow), hold('slow 3', slow), hold('quick 1', quick)];
  await new Promise(setImmediate);
  expect(order).toEqual(['slow 1', 'slow 2']);
  for (let ended = 0; ended < 4; ended++) {
    ends[ended]?.();
    await new Promise(setImmediate);
  }
  await Promise.all(all);
  expect(order).toEqual(['slow 1', 'slow 2', 'quick 1', 'slow 3']);
});

it('a block comes back also from work that fails', async () => {
  const share = slots.share();
  for (let round = 0; round < 3; round++) {
    await expect(share.use(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  }
  await share.use(async ({ data }) => expect(data.length).toBe(4 << 20));
});

it('memory that was let go is taken again while it is still there', async () => {
  const share = slots.share();
  const lent = (): Promise<ArrayBufferLike> => share.use(async ({ data }) => data.buffer);
  const before = await lent();
  slots.rest();
  expect(await lent()).toBe(before);
});
