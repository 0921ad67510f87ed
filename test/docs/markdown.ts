// The project's pages, as text.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../tools/temporaryTree.ts';

/** Every page of ours, relative to the repository. */
export function pages(): string[] {
  const ignored = /(^|\/)(node_modules|dist|coverage|\.landfall|\.git)(\/|$)/;
  return globSync('**/*.md', { cwd: repository, exclude: (name) => ignored.test(name) }).sort();
}

export function readPage(path: string): string {
  return readFileSync(join(repository, path), 'utf8');
}

/** A page without its fenced code blocks, which only quote. */
export function prose(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, '');
}

/** Where a heading can be linked to, as GitHub makes it. */
export function anchors(text: string): string[] {
  return [...prose(text).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The cells of every table row of a page. */
export function tableRows(text: string): string[][] {
  return prose(text)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(1, line.lastIndexOf('|'))
        .split('|')
        .map((cell) => cell.trim()),
    );
}
