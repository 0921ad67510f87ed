// Secrets that a text shows by their shape: signatures, tokens, keys, passwords that are written out. What has none of
// these shapes is not found. A `$` instead of a value is the name of one, which tells nobody anything.
// The patterns stop at quotes and backslashes, so that JSON stays JSON without what they cut.
const value = String.raw`(?!["']?[$…])["']?[^\s&;"'\\]+`;
const shapes: readonly [what: string, pattern: RegExp, leaves: string][] = [
  ['a SAS token', /SharedAccessSignature\s(?!…)[^\s"'\\]+/gi, 'SharedAccessSignature …'],
  ['a shared access signature', new RegExp(String.raw`\bsig=${value}`, 'gi'), 'sig=…'],
  ['a token', /eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_.-]+/g, '…'],
  ['a key', new RegExp(String.raw`\b(AccountKey|SharedAccessKey)=${value}`, 'gi'), '$1=…'],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----[^-"]*(-----END [A-Z ]*PRIVATE KEY-----)?/g, '…'],
  ['a password', new RegExp(`(pass(?:word|wd|phrase)?|pwd)=${value}`, 'gi'), '$1=…'],
  ['a password in a URL', /(:\/\/[^\s/:@"'\\]+):(?![$…])[^\s/@"'\\]+@/g, '$1:…@'],
];

/** What a text gives away, in words; nothing where it shows no secret. */
export function secretIn(text: string): string | undefined {
  return shapes.find(([, pattern]) => text.search(pattern) >= 0)?.[0];
}

/** The text without the secrets that it shows. */
export function withoutSecrets(text: string): string {
  return shapes.reduce((rest, [, pattern, leaves]) => rest.replace(pattern, leaves), text);
}
