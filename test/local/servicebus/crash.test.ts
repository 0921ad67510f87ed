import { describe, expect, it } from 'vitest';
import { Ledger } from './crash/ledger.ts';
import { surviveKills } from './crash/survive.ts';
import { temporaryDirectory } from './harness.ts';

it('has what it acknowledged, once, after each of ten kills under load, and sessions in order', {
  timeout: 120_000,
}, async () => {
  const seeds = Array.from({ length: 10 }, (_, i) => 1 + i);
  const { kills, acknowledged, settled, problems } = await surviveKills(temporaryDirectory(), seeds);
  expect(problems).toEqual([]);
  expect(kills).toBe(10);
  expect(acknowledged).toBeGreaterThanOrEqual(200);
  expect(settled).toBeGreaterThan(20);
});

describe('the ledger notices', () => {
  const sent = (...ids: string[]) => {
    const ledger = new Ledger();
    for (const id of ids) ledger.sending([id], 's')();
    return ledger;
  };

  it('what is gone, twice, back, or elsewhere', () => {
    const ledger = sent('gone', 'twice', 'back', 'elsewhere', 'well');
    ledger.settling('back', 'complete')();
    ledger.settling('elsewhere', 'deadLetter')();
    ledger.compare([
      ...['twice', 'twice', 'back', 'elsewhere', 'well', 'strange'].map((id) => ({ id, place: 'active' as const })),
    ]);
    expect(ledger.problems).toEqual([
      'twice is there twice: active and active',
      'strange is there and was never sent',
      'gone was acknowledged, and is gone (never settled)',
      'back was completed, and is there: active',
      'elsewhere was dead-lettered, and is active',
    ]);
  });

  it('a part of a batch, and nothing else of what nobody answered for', () => {
    const ledger = new Ledger();
    ledger.sending(['a', 'b']);
    ledger.sending(['c', 'd']);
    ledger.sending(['e']);
    ledger.settling('e', 'complete');
    ledger.compare([{ id: 'a', place: 'active' }]);
    expect(ledger.problems).toEqual(['batch 1 is there in part: 1 of 2']);
  });

  it('whoever comes back, overtakes or goes backwards in its session', () => {
    const ledger = sent('1', '2', '3');
    ledger.delivered('1');
    ledger.settling('1', 'complete')();
    ledger.delivered('3');
    ledger.delivered('2', ['3']);
    ledger.delivered('1', []);
    expect(ledger.problems).toEqual(['3 overtook 2', '2 came after 3', '1 came back after complete']);
  });
});
