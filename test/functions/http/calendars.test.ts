import { describe, expect, it } from 'vitest';
import { environment, profile, sources, wavePosted } from '../../fakes/definitions.ts';
import { startApi } from './api.ts';

const { api } = await startApi();
const type = 'text/calendar';
const calendar = (...lines: string[]) =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:x', ...lines, 'END:VCALENDAR', ''].join('\r\n');
const saturday = calendar(
  'BEGIN:VEVENT',
  'UID:1',
  'SUMMARY:Stocktaking',
  'DTSTART;VALUE=DATE:20261205',
  'DTEND;VALUE=DATE:20261207',
  'END:VEVENT',
);

describe('a blackout calendar', () => {
  it('is imported by a planner or an administrator and read by anybody', async () => {
    const { ask } = api();
    const put = await ask('PUT', '/api/calendars/holidays', { as: 'ada', text: saturday, type });
    expect(put).toMatchObject({ status: 200, body: { id: 'holidays', importedBy: expect.any(String), events: 1 } });
    expect((await ask('PUT', '/api/calendars/holidays', { as: 'alan', text: saturday, type })).status).toBe(403);
    expect((await ask('GET', '/api/calendars', { as: 'alan' })).body).toMatchObject({
      calendars: [{ id: 'holidays', events: 1 }],
    });
    expect((await ask('GET', '/api/calendars/holidays', { as: 'alan' })).body).toMatchObject({
      events: [{ event: 'Stocktaking', from: '2026-12-05T00:00:00', to: '2026-12-07T00:00:00' }],
    });
    expect((await ask('GET', '/api/calendars/none', { as: 'alan' })).status).toBe(404);
  });

  it('that is none is refused with the place and the way out', async () => {
    const { ask } = api();
    const put = (text: string, more: { type?: string; path?: string } = {}) =>
      ask('PUT', more.path ?? '/api/calendars/holidays', { as: 'ada', text, type: more.type ?? type });
    expect(await put('{}', { type: 'application/json' })).toMatchObject({ status: 415 });
    expect(await put(' '.repeat(600_000))).toMatchObject({ status: 413 });
    expect(await put('hello')).toMatchObject({
      status: 400,
      body: { errors: [{ message: expect.stringContaining('not one iCalendar object') }] },
    });
    expect(await put(saturday, { path: '/api/calendars/NO' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'id' }] },
    });
    const broken = calendar(
      'BEGIN:VEVENT',
      'UID:1',
      'SUMMARY:Fair',
      'DTSTART;TZID=Nowhere:20261205T000000',
      'DURATION:PT1H',
      'END:VEVENT',
    );
    expect(await put(broken)).toMatchObject({
      status: 400,
      body: {
        errors: [{ path: 'VEVENT "Fair" DTSTART', value: 'Nowhere', fix: expect.stringContaining('Europe/Amsterdam') }],
      },
    });
  });

  it('that an environment or a wave names keeps its waves from cutting over, and a later import does not reach a plan', async () => {
    const { ask, reach } = api();
    await reach.store.environments.put({ ...environment, calendars: ['holidays'] });
    await reach.store.profiles.put(profile);
    for (const source of sources) await reach.store.sources.put(source);
    const post = (window = wavePosted().window) =>
      ask('POST', '/api/waves', { as: 'ada', body: { ...wavePosted(), window } });
    expect(await post()).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'environment.calendars[0]', value: 'holidays' }] },
    });
    await ask('PUT', '/api/calendars/holidays', { as: 'ada', text: saturday, type });
    expect(await post()).toMatchObject({
      status: 400,
      body: {
        errors: [
          {
            path: 'window.start',
            message: expect.stringContaining('calendar "holidays": Stocktaking'),
            fix: expect.stringContaining('2026-12-07T22:00'),
          },
        ],
      },
    });
    const posted = await post({ ...wavePosted().window, start: '2026-12-06T22:00' });
    const windows = [{ opens: '2026-12-06T23:00:00.000Z', closes: '2026-12-07T01:00:00.000Z' }];
    expect(posted).toMatchObject({
      status: 201,
      body: { plan: { windows, blackouts: [{ by: 'calendar "holidays": Stocktaking' }] } },
    });
    await ask('PUT', '/api/calendars/holidays', { as: 'ada', text: calendar(), type });
    expect((await ask('GET', '/api/waves/w1', { as: 'alan' })).body).toMatchObject({ windows });
  });
});
