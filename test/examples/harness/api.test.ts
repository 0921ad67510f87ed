import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Api } from '../../../examples/harness/api.ts';
import type { Person } from '../../../examples/harness/people.ts';
import { closeServer, listenOnLoopback } from '../../../local/loopback.ts';

const problem = {
  type: 'urn:landfall:problem:invalidInput',
  title: 'The request is malformed',
  status: 400,
  detail: 'Two fields are wrong.',
  errors: [
    { path: 'name', message: 'is missing', fix: 'give a string' },
    {
      path: 'groups[0].dependsOn[0]',
      value: 'databse',
      message: 'there is no such group',
      fix: 'did you mean "database"?',
    },
  ],
};
const server = createServer((_request, response) => {
  response.writeHead(400, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
});
let base: string;
beforeAll(async () => {
  base = `http://127.0.0.1:${await listenOnLoopback(server)}`;
});
afterAll(() => closeServer(server));

it('a refused request is told in words: every field, its value where it has one, and the way out', async () => {
  const ada = { token: async () => 'token' } as unknown as Person;
  await expect(new Api(() => base, ada).postWave('id: w1')).rejects.toThrow(
    [
      'POST /api/waves was answered 400 The request is malformed: Two fields are wrong.',
      '  name: is missing; give a string',
      '  groups[0].dependsOn[0] ("databse"): there is no such group; did you mean "database"?',
    ].join('\n'),
  );
});
