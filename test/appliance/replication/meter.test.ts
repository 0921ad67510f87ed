import { expect, it } from 'vitest';
import { Meter, type Progress } from '../../../appliance/replication/meter.ts';

it('says at most twice a second how far a sync is, and how fast it goes', () => {
  const told: Progress[] = [];
  let now = 0;
  const meter = new Meter(
    1000,
    (progress) => told.push(progress),
    () => now,
  );
  for (let step = 1; step <= 10; step++) {
    now = step * 200;
    meter.add({ compared: 50, changed: 20 });
  }
  expect(told).toEqual([
    { doneBytes: 150, totalBytes: 1000, writtenBytes: 60, bytesPerSecond: 250 },
    { doneBytes: 300, totalBytes: 1000, writtenBytes: 120, bytesPerSecond: 250 },
    { doneBytes: 450, totalBytes: 1000, writtenBytes: 180, bytesPerSecond: 250 },
  ]);
});

it('says nothing of a sync that is over before half a second has passed, and never more than all', () => {
  const told: Progress[] = [];
  let now = 0;
  const meter = new Meter(
    100,
    (progress) => told.push(progress),
    () => now,
  );
  meter.add({ compared: 80 });
  expect(told).toEqual([]);
  now = 500;
  meter.add({ compared: 80 });
  expect(told).toMatchObject([{ doneBytes: 100 }]);
});
