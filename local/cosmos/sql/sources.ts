// FROM and JOIN: which names a query binds, and the rows that they give for one document.
import type { Expression, Source } from './ast.ts';
import { compile, type Evaluate, type Row, type Scope } from './compile.ts';
import { queryError } from './lexer.ts';

interface Step {
  slot: number;
  path: Evaluate;
  isEach: boolean;
}

/** Gives every name of FROM and JOIN its slot. */
export function bindSources(sources: Source[], outer: Scope, rootSlot: number): { scope: Scope; steps: Step[] } {
  const names = new Map(outer.names);
  const steps = sources.map((source, at): Step => {
    const inner: Scope = { ...outer, names };
    // The first name of the outermost FROM is the container, whatever it is called.
    const root = rootName(source.path);
    const isContainer = root !== undefined && at === 0 && !outer.names.has(root);
    const path = compile(source.path, isContainer ? { ...inner, names: new Map([[root, rootSlot]]) } : inner);
    if (names.has(source.alias) && !outer.names.has(source.alias)) {
      throw queryError('SC2012', `The input alias '${source.alias}' is specified more than once.`, source);
    }
    const slot = outer.frame.size++;
    names.set(source.alias, slot);
    // A subquery stands for its results, one after the other.
    return { slot, path, isEach: source.isEach || source.path.kind === 'subquery' };
  });
  return { scope: { ...outer, names }, steps };
}

function rootName(path: Expression): string | undefined {
  let at = path;
  while (at.kind === 'member') at = at.object;
  return at.kind === 'name' ? at.name : undefined;
}

/** The cross product of FROM and JOIN. The row is one array, refilled for each combination. */
export function* joinRows(row: Row, steps: Step[], at = 0): Generator<Row> {
  const step = steps[at];
  if (!step) {
    yield row;
    return;
  }
  const value = step.path(row);
  const values = step.isEach ? (Array.isArray(value) ? value : []) : value === undefined ? [] : [value];
  for (const item of values) {
    row[step.slot] = item;
    yield* joinRows(row, steps, at + 1);
  }
}
