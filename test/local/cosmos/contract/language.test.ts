// The query language beyond filters: what the documentation's own pages show, in one partition.
import { beforeAll, describe, expect, it } from 'vitest';
import { openAccount, twoPartitions } from './account.ts';

const { create } = await openAccount();
const products = await create({
  id: 'products',
  partitionKey: { paths: ['/shop'], version: 2 },
  throughput: twoPartitions,
  indexingPolicy: {
    includedPaths: [{ path: '/*' }],
    excludedPaths: [{ path: '/secret/*' }, { path: '/"_etag"/?' }],
    compositeIndexes: [
      [
        { path: '/kind', order: 'ascending' },
        { path: '/price', order: 'descending' },
      ],
    ],
  },
});
const one = { partitionKey: 'a' };

const documents = [
  {
    id: '1',
    kind: 'pen',
    price: 3,
    tags: [
      { name: 'blue', n: 1 },
      { name: 'new', n: 2 },
    ],
    colors: ['blue', 'red'],
    sizes: ['s', 'm'],
  },
  { id: '2', kind: 'pen', price: 1, tags: [{ name: 'blue', n: 5 }], colors: ['blue'], sizes: [] },
  { id: '3', kind: 'ink', price: 9, tags: [], colors: ['red'], sizes: ['l'], note: null },
  { id: '4', kind: 'ink', price: 'unknown', colors: 'none', secret: { code: 7 } },
];

const ask = async (query: string, options: { partitionKey?: string } = one) =>
  (await products.items.query(query, options).fetchAll()).resources;

beforeAll(async () => {
  for (const document of documents) await products.items.create({ ...document, shop: 'a' });
  for (let n = 0; n < 20; n++)
    await products.items.create({ id: `${n}`, shop: `s${n}`, kind: n % 2 ? 'pen' : 'ink', price: n });
});

describe('in one partition', () => {
  it.each<[string, unknown[]]>([
    ['SELECT p.id name FROM products p WHERE p.price = 1', [{ name: '2' }]],
    ['SELECT p.price, p["kind"] FROM p WHERE p.id = "1"', [{ price: 3, kind: 'pen' }]],
    ['SELECT 1, p.price + 1, p.id FROM p WHERE p.id = "1"', [{ $1: 1, $2: 4, id: '1' }]],
    ['SELECT VALUE p.id FROM p WHERE p.price > 1 AND p.price < 10', ['1', '3']],
    ['SELECT VALUE p.id FROM p WHERE NOT (p.price > 1)', ['2']],
    ['SELECT VALUE p.id FROM p WHERE p.kind NOT IN ("pen")', ['3', '4']],
    ['SELECT VALUE p.id FROM p WHERE p.kind NOT LIKE "p%"', ['3', '4']],
    ["SELECT VALUE p.id FROM p WHERE 'a!%b' LIKE 'a!!!%b' ESCAPE '!' AND p.id = '1'", ['1']],
    ['SELECT VALUE p.id FROM p WHERE p.note = null', ['3']],
    ['SELECT VALUE p.id FROM p WHERE p.price BETWEEN 1 AND 3', ['1', '2']],
    ['SELECT VALUE p.id FROM p WHERE p.colors[0] = "blue"', ['1', '2']],
    ['SELECT VALUE p.price << 2 | 1 FROM p WHERE p.id = "1"', [13]],
    ['SELECT VALUE p.id || "-" || p.kind FROM p WHERE p.price = 9', ['3-ink']],
    ['SELECT VALUE {"kind": p.kind, n: [p.price, p.nothing]} FROM p WHERE p.id = "3"', [{ kind: 'ink', n: [9] }]],

    ['SELECT VALUE t.name FROM p JOIN t IN p.tags WHERE t.n > 1', ['new', 'blue']],
    ['SELECT VALUE {c: c, s: s} FROM p JOIN c IN p.colors JOIN s IN p.sizes WHERE p.id = "3"', [{ c: 'red', s: 'l' }]],
    ['SELECT VALUE COUNT(1) FROM p JOIN c IN p.colors JOIN s IN p.sizes', [5]],
    ['SELECT VALUE t FROM t IN p.colors WHERE t = "red"', ['red', 'red']],
    [
      'SELECT VALUE COUNT(1) FROM p JOIN (SELECT VALUE t FROM t IN p.tags WHERE t.n > 1) JOIN (SELECT VALUE s FROM s IN p.sizes WHERE s != "m")',
      [1],
    ],
    ['SELECT VALUE t.name FROM p JOIN (SELECT VALUE t FROM t IN p.tags WHERE t.n = 5) AS t', ['blue']],
    [
      'SELECT p.id, m.half FROM p JOIN (SELECT VALUE {half: p.price / 2}) AS m WHERE m.half > 4',
      [{ id: '3', half: 4.5 }],
    ],
    ['SELECT VALUE s.id FROM (SELECT VALUE p FROM p WHERE p.price > 2) s WHERE s.kind = "pen"', ['1']],

    [
      'SELECT p.id, (SELECT VALUE COUNT(1) FROM t IN p.tags WHERE t.n > 0) AS n FROM p WHERE p.kind = "pen"',
      [
        { id: '1', n: 2 },
        { id: '2', n: 1 },
      ],
    ],
    ['SELECT VALUE p.id FROM p WHERE EXISTS(SELECT VALUE t FROM t IN p.tags WHERE t.name = "new")', ['1']],
    ['SELECT VALUE p.id FROM p WHERE NOT EXISTS(SELECT VALUE t FROM t IN p.tags)', ['3', '4']],
    ['SELECT VALUE ARRAY(SELECT VALUE t.n * 2 FROM t IN p.tags WHERE t.n < 5) FROM p WHERE p.id = "1"', [[2, 4]]],
    [
      'SELECT VALUE ARRAY(SELECT DISTINCT VALUE t.name FROM t IN p.tags ORDER BY t.name) FROM p WHERE p.id = "1"',
      [['blue', 'new']],
    ],
    ['SELECT VALUE (SELECT VALUE MAX(t.n) FROM t IN p.tags) FROM p WHERE p.id = "1"', [2]],

    ['SELECT COUNT(1) AS n, COUNT(p.note) AS notes, COUNT(p.tags) AS tags FROM p', [{ n: 4, notes: 1, tags: 3 }]],
    ['SELECT VALUE SUM(p.price) FROM p WHERE IS_NUMBER(p.price)', [13]],
    ['SELECT VALUE SUM(p.price) FROM p', []],
    [
      'SELECT MIN(p.price) AS low, MAX(p.id) AS high FROM p WHERE IS_NUMBER(p.price)',
      [{ low: 1, high: '4' }].map((row) => ({ ...row, high: '3' })),
    ],
    ['SELECT VALUE COUNT(1) + 1 FROM p', [5]],
    ['SELECT VALUE COUNT(1) FROM (SELECT DISTINCT VALUE p.kind FROM p)', [2]],
    [
      'SELECT p.kind, COUNT(1) AS n, MAKELIST(p.id) AS ids, COUNTIF(p.price > 2) AS dear FROM p GROUP BY p.kind',
      [
        { kind: 'pen', n: 2, ids: ['1', '2'], dear: 1 },
        { kind: 'ink', n: 2, ids: ['3', '4'], dear: 1 },
      ],
    ],
    [
      'SELECT COUNT(1) AS n, p.price > 2 AS dear FROM p WHERE IS_NUMBER(p.price) GROUP BY p.price > 2',
      [
        { n: 2, dear: true },
        { n: 1, dear: false },
      ],
    ],
    [
      'SELECT VALUE {kind: UPPER(p.kind), sum: SUM(p.price)} FROM p WHERE IS_NUMBER(p.price) GROUP BY UPPER(p.kind)',
      [
        { kind: 'PEN', sum: 4 },
        { kind: 'INK', sum: 9 },
      ],
    ],
    ['SELECT p.kind, AVG(p.price) AS mean FROM p GROUP BY p.kind OFFSET 0 LIMIT 1', [{ kind: 'pen', mean: 2 }]],

    ['SELECT DISTINCT p.kind FROM p', [{ kind: 'pen' }, { kind: 'ink' }]],
    ['SELECT DISTINCT VALUE {k: p.kind} FROM p ORDER BY p.kind', [{ k: 'ink' }, { k: 'pen' }]],
    ['SELECT VALUE p.id FROM p ORDER BY p.kind, p.price DESC', ['4', '3', '1', '2']],
    ['SELECT VALUE p.id FROM p ORDER BY p.kind DESC, p.price', ['2', '1', '3', '4']],
    ['SELECT VALUE p.price FROM p ORDER BY p.price', [1, 3, 9, 'unknown']],
    ['SELECT VALUE p.id FROM p ORDER BY p.id DESC OFFSET 1 LIMIT 2', ['3', '2']],
    ['SELECT TOP 1 VALUE p.id FROM p ORDER BY p.id DESC', ['4']],
  ])('%s', async (query, expected) => {
    expect(await ask(query)).toEqual(expected);
  });
});

describe('over all partitions', () => {
  it.each<[string, (results: unknown[]) => unknown, unknown]>([
    ['SELECT VALUE COUNT(1) FROM p JOIN t IN p.tags', ([n]) => n, 3],
    ['SELECT VALUE AVG(p.price) FROM p WHERE p.shop != "a"', ([n]) => n, 9.5],
    [
      'SELECT p.kind, AVG(p.price) AS mean, MIN(p.price) AS low FROM p WHERE p.shop != "a" GROUP BY p.kind',
      (rows) => rows.map((row) => JSON.stringify(row)).sort(),
      ['{"kind":"ink","mean":9,"low":0}', '{"kind":"pen","mean":10,"low":1}'],
    ],
    ['SELECT VALUE {k: p.kind, n: COUNT(1)} FROM p GROUP BY p.kind', (rows) => rows.length, 2],
    [
      'SELECT p.kind, COUNTIF(p.price > 5) AS dear FROM p WHERE p.shop != "a" GROUP BY p.kind',
      (rows) => rows.map((row) => JSON.stringify(row)).sort(),
      ['{"kind":"ink","dear":7}', '{"kind":"pen","dear":7}'],
    ],
    ['SELECT DISTINCT p.kind FROM p', (rows) => rows.length, 2],
    ['SELECT DISTINCT VALUE p.kind FROM p ORDER BY p.kind', (rows) => rows, ['ink', 'pen']],
    [
      'SELECT p.kind, p.price FROM p WHERE p.shop != "a" ORDER BY p.kind, p.price DESC OFFSET 9 LIMIT 2',
      (rows) => rows,
      [
        { kind: 'ink', price: 0 },
        { kind: 'pen', price: 19 },
      ],
    ],
    ['SELECT VALUE s.price FROM (SELECT VALUE p FROM p WHERE p.price > 17) s', (rows) => [...rows].sort(), [18, 19]],
    ['SELECT TOP 3 VALUE p.price FROM p WHERE p.shop != "a" ORDER BY p.price DESC', (rows) => rows, [19, 18, 17]],
  ])('%s', async (query, seen, expected) => {
    expect(seen(await ask(query, {}))).toEqual(expected);
  });
});

describe('a query that the service does not serve is refused', () => {
  it.each([
    ['SELECT * FROM p ORDER BY p.price, p.kind', 'composite index'],
    ['SELECT * FROM p ORDER BY p.secret.code', 'excluded'],
    ['SELECT p.kind, COUNT(1) AS n FROM p GROUP BY p.kind ORDER BY p.kind', 'ORDER BY'],
    ['SELECT p.id, COUNT(1) AS n FROM p GROUP BY p.kind', 'GROUP BY'],
    ['SELECT p.id, COUNT(1) AS n FROM p', 'GROUP BY'],
    ['SELECT * FROM p JOIN t IN p.tags', 'SELECT *'],
    ['SELECT p.id, p.id FROM p', 'more than once'],
    ['SELECT VALUE p.id FROM p JOIN p IN p.tags', 'more than once'],
    ['SELECT VALUE p FROM p WHERE COUNT(1) > 1', 'COUNT'],
    ['SELECT TOP -1 * FROM p', 'Syntax error'],
    ['SELECT VALUE ABS(1, 2) FROM p', 'ABS'],
    ['SELECT VALUE ST_DISTANCE(p.a, p.b) FROM p', 'ST_DISTANCE'],
  ])('%s', async (query, near) => {
    await expect(ask(query)).rejects.toMatchObject({ code: 400, body: { message: expect.stringContaining(near) } });
  });

  it.each([
    ['SELECT * FRM p', 'FRM'],
    ['SELECT p.id FROM p WHERE p.x = = 1', '= 1'],
    ['SELECT VALUE NO_SUCH(p.x) FROM p', 'NO_SUCH(p.x)'],
    ['SELECT VALUE q.id FROM p', 'q'],
    ['SELECT * FROM p WHERE p.name = @who', '@who'],
    ["SELECT * FROM p WHERE p.name = 'open", "'"],
  ])('with its place in the text: %s', async (query, place) => {
    const error = await ask(query).catch(({ body }: { body: { message: string } }) => body.message);
    const { errors } = JSON.parse(/Message: (\{.*\})/s.exec(String(error))?.[1] ?? '{}');
    const { start, end } = errors[0].location;
    const marked = query.slice(start, end);
    expect(place.startsWith(marked) && marked !== '').toBe(true);
  });
});
