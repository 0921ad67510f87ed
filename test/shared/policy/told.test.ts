import { describe, expect, it } from 'vitest';
import { fold } from '../../../shared/lifecycle/fold.ts';
import type { PlatformEvent } from '../../../shared/lifecycle/events.ts';
import type { Told } from '../../../shared/lifecycle/told.ts';
import { believe } from '../../../shared/policy/told.ts';

const at = (minute: number, second = 0) => new Date(Date.UTC(2026, 11, 5, 22, minute, second)).toISOString();

/** What is known after these events of by-hand acts, one a minute. */
function toldAfter(
  ...events: [
    what: 'asked' | 'confirmed' | 'fits' | 'doubted',
    act: 'powerOff' | 'powerOn' | 'disconnect' | 'connect' | 'removeAgent',
  ][]
): Told | undefined {
  const born: PlatformEvent = {
    id: 'born',
    time: at(0),
    source: 'platform',
    type: 'landfall.workload.registered',
    data: { groupId: 'g', planHash: 'h' },
  };
  const rest = events.map(([what, act], index): PlatformEvent => {
    const common = { id: `${index}`, time: at(index + 1), source: 'platform' };
    if (what === 'asked') return { ...common, type: 'landfall.byHand.asked', data: { act, gateId: 'g' } };
    if (what === 'confirmed')
      return {
        ...common,
        type: 'landfall.byHand.confirmed',
        data: { act, gateId: 'g', by: [{ by: 'carl', comment: '' }] },
      };
    return {
      ...common,
      type: 'landfall.byHand.seen',
      data: { act, seen: [{ name: 'agent', fits: what === 'fits', detail: '' }] },
    };
  });
  return fold([born, ...rest])?.told;
}

describe('a machine without a host', () => {
  it('is as people have confirmed, and not known between the question and their word', () => {
    expect(toldAfter()).toBeUndefined();
    expect(toldAfter(['asked', 'powerOff'])).toEqual({ power: 'unknown', network: 'connected', since: at(1) });
    expect(toldAfter(['asked', 'powerOff'], ['confirmed', 'powerOff'])).toEqual({
      power: 'off',
      network: 'connected',
      since: at(2),
    });
    expect(toldAfter(['confirmed', 'powerOff'], ['asked', 'disconnect'])).toMatchObject({
      power: 'off',
      network: 'unknown',
    });
    expect(
      toldAfter(
        ['confirmed', 'disconnect'],
        ['confirmed', 'powerOff'],
        ['confirmed', 'connect'],
        ['confirmed', 'powerOn'],
      ),
    ).toMatchObject({ power: 'on', network: 'connected' });
  });

  it('is not known once what is seen of it contradicts', () => {
    expect(toldAfter(['confirmed', 'disconnect'], ['confirmed', 'powerOff'], ['fits', 'powerOff'])).toMatchObject({
      power: 'off',
      network: 'disconnected',
    });
    expect(toldAfter(['confirmed', 'disconnect'], ['confirmed', 'powerOff'], ['doubted', 'powerOff'])).toMatchObject({
      power: 'unknown',
      network: 'unknown',
    });
  });

  it('is the same after something was done with its agent', () => {
    expect(toldAfter(['asked', 'removeAgent'], ['doubted', 'removeAgent'])).toBeUndefined();
  });
});

describe('what is believed of it', () => {
  const off: Told = { power: 'off', network: 'disconnected', since: at(1) };
  const unsaid: Told = { power: 'unknown', network: 'connected', since: at(1) };
  const heard = (time: string) => ({ at: time, everySeconds: 30 });

  it('is on and connected as long as nothing was asked', () => {
    expect(believe(undefined, heard(at(0)), at(9))).toMatchObject({
      power: 'on',
      nicConnected: true,
      told: { power: 'on' },
    });
  });

  it('is people’s word while its agent is silent', () => {
    expect(believe(off, heard(at(0)), at(3))).toEqual({
      power: 'off',
      nicConnected: false,
      told: { power: 'off', network: 'disconnected' },
    });
    expect(believe(off, undefined, at(3))).toMatchObject({ power: 'off', nicConnected: false });
  });

  it('lets a heartbeat pass that was under way', () => {
    expect(believe(off, heard(at(1, 29)), at(1, 40))).toMatchObject({ power: 'off' });
    expect(believe(off, heard(at(1, 31)), at(1, 40))).toMatchObject({
      power: 'on',
      nicConnected: true,
      told: { power: 'unknown', network: 'unknown' },
    });
  });

  it('is its agent’s life, which ends with three missed heartbeats', () => {
    expect(believe(off, heard(at(2)), at(3, 29))).toMatchObject({ power: 'on' });
    expect(believe(off, heard(at(2)), at(3, 31))).toMatchObject({ power: 'off' });
  });

  it('is off if nobody has said it and its agent is silent, on if it has no agent', () => {
    expect(believe(unsaid, heard(at(0)), at(9))).toMatchObject({ power: 'off', told: { power: 'unknown' } });
    expect(believe(unsaid, undefined, at(9))).toMatchObject({ power: 'on', told: { power: 'unknown' } });
  });
});
