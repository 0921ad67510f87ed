// What a URL names: `/account/container/blob?snapshot=…`.
import type { Target } from './auth.ts';
import { StorageError } from './errors.ts';

export function targetOf(url: URL): Target {
  const [, account = '', container = '', ...rest] = url.pathname.split('/');
  try {
    return {
      account: decodeURIComponent(account),
      container: decodeURIComponent(container),
      blob: decodeURIComponent(rest.join('/')),
      snapshot: url.searchParams.get('snapshot') ?? '',
    };
  } catch {
    throw new StorageError('InvalidInput', 'The path is not well encoded.');
  }
}
