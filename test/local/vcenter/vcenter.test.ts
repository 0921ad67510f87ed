// What the local vCenter does not do it says, and what a client gets wrong it refuses: so a contract test can fail.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningVcenter, startVcenter } from '../../../local/vcenter/server.ts';

let vcenter: RunningVcenter;
let session: string;
let vimSession: string;
const header = 'vmware-api-session-id';

async function ask(method: string, path: string, body?: unknown, token = session) {
  const response = await fetch(`${vcenter.endpoint}${path}`, {
    method,
    headers: { [header]: token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>) };
}
const vim = (method: string, path: string, body?: unknown) =>
  ask(method, `/sdk/vim25/8.0.1.0${path}`, body, vimSession);

beforeAll(async () => {
  vcenter = await startVcenter({
    users: [{ name: 'u', password: 'p' }],
    hosts: [{ id: 'host-10', name: 'esx1.example' }],
    machines: [{ id: 'vm-1', name: 'one', disks: [], nics: [{ key: 4000, label: 'a' }] }],
  });
  const authorization = `Basic ${Buffer.from('u:p').toString('base64')}`;
  session = (await (
    await fetch(`${vcenter.endpoint}/api/session`, { method: 'POST', headers: { authorization } })
  ).json()) as string;
  const login = await fetch(`${vcenter.endpoint}/sdk/vim25/8.0.1.0/SessionManager/SessionManager/Login`, {
    method: 'POST',
    body: JSON.stringify({ userName: 'u', password: 'p' }),
  });
  vimSession = login.headers.get(header) ?? '';
});
afterAll(() => vcenter.stop());

test('what it does not simulate is refused by name, in both APIs', async () => {
  for (const answer of [
    await ask('GET', '/api/vcenter/cluster'),
    await ask('POST', '/api/vcenter/vm/vm-1/power?action=suspend'),
    await vim('POST', '/VirtualMachine/vm-1/CloneVM_Task', {}),
    await ask('GET', '/sdk/vim25/6.7.0.0/Task/task-1/info'),
    await ask('GET', '/ui/'),
  ]) {
    expect(answer.status).toBe(501);
    expect(JSON.stringify(answer.body)).toContain('NotSimulated');
  }
});

test('requests without a session, or with a wrong password, are not answered', async () => {
  expect(await ask('GET', '/api/vcenter/vm', undefined, 'nobody')).toMatchObject({
    status: 401,
    body: { error_type: 'UNAUTHENTICATED' },
  });
  const headers = { authorization: `Basic ${Buffer.from('u:q').toString('base64')}` };
  expect((await fetch(`${vcenter.endpoint}/api/session`, { method: 'POST', headers })).status).toBe(401);
  expect(await ask('DELETE', '/api/session')).toMatchObject({ status: 204 });
  expect((await ask('GET', '/api/vcenter/vm')).status).toBe(401);
});

test('a body with a member that the reference does not have is refused', async () => {
  const wanted = { name: 'n', description: 'd', memory: false, quiesce: false };
  expect(await vim('POST', '/VirtualMachine/vm-1/CreateSnapshot_Task', { ...wanted, quiescent: true })).toMatchObject({
    status: 500,
    body: { _typeName: 'InvalidArgument' },
  });
  expect(await vim('POST', '/VirtualMachine/vm-1/CreateSnapshot_Task', wanted)).toMatchObject({
    status: 200,
    body: { type: 'Task' },
  });
});

test('an adapter is switched only while the machine is on, and a state is not entered twice', async () => {
  const again = await fetch(`${vcenter.endpoint}/api/session`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` },
  });
  session = (await again.json()) as string;
  expect((await ask('POST', '/api/vcenter/vm/vm-1/power?action=start')).body).toMatchObject({
    error_type: 'ALREADY_IN_DESIRED_STATE',
  });
  expect((await ask('POST', '/api/vcenter/vm/vm-1/power?action=stop')).status).toBe(204);
  expect((await ask('POST', '/api/vcenter/vm/vm-1/hardware/ethernet/4000?action=connect')).body).toMatchObject({
    error_type: 'NOT_ALLOWED_IN_CURRENT_STATE',
  });
});
