import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { routes } from '../../functions/http/routes.ts';
import { roles } from '../../shared/policy/people.ts';
import { repository } from '../tools/temporaryTree.ts';
import { anchors, pages, prose, readPage, tableRows } from './markdown.ts';

/** Links that lead nowhere, as `page: target`. */
function broken(page: string, text: string): string[] {
  const targets = [...prose(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : normalize(join(dirname(page), path));
      if (file !== page && !existsSync(join(repository, file))) return true;
      return anchor !== undefined && !anchors(file === page ? text : readPage(file)).includes(anchor);
    })
    .map((target) => `${page}: ${target}`);
}

it('every relative link of every page leads to a file, and to a heading where it names one', () => {
  expect(pages()).toContain('README.md');
  expect(pages()).toContain('docs/http-api.md');
  expect(pages().flatMap((page) => broken(page, readPage(page)))).toEqual([]);
});

it('a link to a missing file or heading is found', () => {
  const text =
    '# A heading\n[a](gone.md) [b](#a-heading) [c](#another) [d](https://example.org/x) [e](../README.md#landfall)';
  expect(broken('docs/page.md', text)).toEqual(['docs/page.md: gone.md', 'docs/page.md: #another']);
});

it('docs/http-api.md lists every route with who may call it, and no other route', () => {
  const documented = tableRows(readPage('docs/http-api.md')).flatMap(([route = '', who = '']) => {
    const found = /^`((?:GET|PUT|POST) \/api\/\S+)`$/.exec(route)?.[1];
    return found === undefined ? [] : [`${found} — ${who}`];
  });
  const actual = routes.map(({ method, path, allowed }) => {
    const who = allowed === 'anyone' ? 'no token' : allowed.length === roles.length ? 'any role' : allowed.join(', ');
    return `${method} /api/${path} — ${who}`;
  });
  expect(documented.sort()).toEqual(actual.sort());
});
