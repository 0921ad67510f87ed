import { expect, it } from 'vitest';
import { secretIn, withoutSecrets } from '../../../shared/model/secretShapes.ts';

it.each([
  [
    'a shared access signature',
    'curl "https://a.example/b?sv=1&sig=abc%2F&se=2"',
    'curl "https://a.example/b?sv=1&sig=…&se=2"',
  ],
  ['a SAS token', 'token SharedAccessSignature sr=a&sig=b&se=1 ends', 'token SharedAccessSignature … ends'],
  ['a token', 'authorization: Bearer eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2ln', 'authorization: Bearer …'],
  ['a key', 'AccountName=a;AccountKey=Zm9vYmFy==;EndpointSuffix=b', 'AccountName=a;AccountKey=…;EndpointSuffix=b'],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest', '…\nrest'],
  ['a password', "DB_PASSWORD='hunter2 mysql", 'DB_PASSWORD=… mysql'],
  ['a password in a URL', 'git clone https://me:hunter2@git.example/x', 'git clone https://me:…@git.example/x'],
])('%s is seen, and cut', (what, text, left) => {
  expect(secretIn(text)).toBe(what);
  expect(withoutSecrets(text)).toBe(left);
  expect(secretIn(left)).toBeUndefined();
});

it.each(['PASSWORD="$DB_PASSWORD" mysql', 'curl "https://a.example/b?sig=$SIG"', 'design=3; systemctl restart engine'])(
  'nothing is seen in %j',
  (text) => {
    expect(secretIn(text)).toBeUndefined();
    expect(withoutSecrets(text)).toBe(text);
  },
);

it('a line of JSON is one still when a secret was cut from it', () => {
  const line = JSON.stringify({ message: 'PASSWORD="x" in AccountKey=abc"', url: 'https://me:pw@a.example' });
  expect(JSON.parse(withoutSecrets(line))).toMatchObject({ url: 'https://me:…@a.example' });
});
