import { expect, it } from 'vitest';
import { SourceService } from '../../../shared/model/source.ts';
import { parseCommand } from '../../../shared/protocol/commands.ts';
import { parseApplianceEvent } from '../../../shared/protocol/events.ts';

const service = { name: 'web', dependsOn: [], start: ['start'], stop: ['stop'], status: ['status'] };
const startMode = { show: ['show'], automatic: ['automatic'], manual: ['manual'] };

const started = (services: object[]) =>
  parseCommand({
    ...{ type: 'landfall.services.start', operationId: 'o:1', aud: 'agent-web' },
    data: { waveId: 'w', workloadId: 'web', services },
  });
const stopped = (state: object) =>
  parseApplianceEvent({
    ...{ specversion: '1.0', id: 'e-1', source: 'agent-web', type: 'landfall.services.stopped', subject: 'w/web' },
    ...{ time: '2026-12-05T21:10:00.000Z', datacontenttype: 'application/json', sequence: 1 },
    data: { services: [{ name: 'web', state: 'stopped', ...state }] },
  });

it('messages that say nothing about start modes are as valid as before', () => {
  expect(SourceService.parse(service)).toEqual(service);
  expect(started([service])).toMatchObject({ command: { data: { services: [service] } } });
  expect(stopped({})).toMatchObject({ event: { data: { services: [{ name: 'web', state: 'stopped', detail: '' }] } } });
});

it('a start carries what is to be put back, and an answer shows what is', () => {
  const restored = { ...service, startMode, before: { state: 'running', startMode: 'automatic' } };
  expect(started([restored])).toMatchObject({ command: { data: { services: [restored] } } });
  for (const mode of ['automatic', 'manual', 'unknown'])
    expect(stopped({ startMode: mode })).toMatchObject({ event: { data: { services: [{ startMode: mode }] } } });
});

it('an unknown start mode is never put back, and no other word is a start mode', () => {
  expect(started([{ ...service, startMode, before: { state: 'running', startMode: 'unknown' } }])).toHaveProperty(
    'problem',
  );
  expect(stopped({ startMode: 'delayed' })).toHaveProperty('problem.code', 'brokenBody');
});
