import { expect, test } from 'vitest';
import { resolveConnection } from '../../../local/host/triggers/connection.ts';

const resolve = (name: string, settings: Record<string, string>) =>
  resolveConnection(name, 'fullyQualifiedNamespace', settings, 'Function "f"');
const text = 'Endpoint=sb://a/;SharedAccessKeyName=n;SharedAccessKey=secret';

test('a connection is a connection string or an address with the identity of the app, in settings whose case does not count', () => {
  expect(resolve('Bus', { Bus: text })).toEqual({ kind: 'connectionString', connectionString: text });
  for (const setting of ['Bus__fullyQualifiedNamespace', 'Bus:fullyQualifiedNamespace', 'BUS__FULLYQUALIFIEDNAMESPACE'])
    expect(resolve('Bus', { [setting]: 'a.example' }), setting).toMatchObject({
      kind: 'identity',
      address: 'a.example',
    });
});

test('where a name leads to more than one setting, the one counts that counts in Azure', () => {
  const address = { Bus__fullyQualifiedNamespace: 'a.example' };
  expect(resolve('Bus', { ...address, Bus: text })).toMatchObject({ connectionString: text });
  expect(resolve('Bus', { ...address, Bus: '' })).toMatchObject({ address: 'a.example' });
  const prefixed = { AzureWebJobsBus__fullyQualifiedNamespace: 'b.example' };
  expect(resolve('Bus', { ...address, ...prefixed, Bus: text })).toMatchObject({ address: 'b.example' });
  const section = { ConnectionStrings__Bus: 'Endpoint=sb://c/' };
  expect(resolve('Bus', { Bus: text, ...section })).toMatchObject({ connectionString: 'Endpoint=sb://c/' });
});

test('a connection that leads nowhere is refused with the settings that are missing, and a key in it is not told', () => {
  expect(() => resolve('Bus', { Bus__clientId: 'c' })).toThrow(
    'Function "f": neither the setting "Bus__fullyQualifiedNamespace" nor "Bus" exists.',
  );
  expect(() => resolve(text, {})).toThrow(
    /^Function "f": its connection is a connection string; write the name of the setting that holds it\.$/,
  );
});
