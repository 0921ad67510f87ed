// The evidence pack as a page to read and to print: one file, no script, nothing fetched, everything escaped.
import type { EvidencePack, Section } from './pack.ts';

class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Part = Html | string | number | false | undefined | readonly Part[];

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Markup; whatever is put into it is escaped unless it is markup itself. */
function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(literals.map((literal, index) => literal + render(parts[index])).join(''));
}

function render(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, (found) => escapes[found] ?? '');
}

const css = `
:root{color-scheme:light;--ink:#1b2530;--soft:#5a6878;--line:#d9e0e7;--good:#176b3a;--bad:#a3241c;--pale:#f5f7f9}
*{box-sizing:border-box}body{font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);max-width:1100px;margin:0 auto;padding:2rem 1.5rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:2px solid var(--ink);padding-bottom:.2rem}h3{font-size:1rem;margin:1.6rem 0 .4rem}h4{font-size:.9rem;margin:1rem 0 .3rem;color:var(--soft)}
p{margin:.3rem 0}.soft{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
table{border-collapse:collapse;width:100%;margin:.4rem 0}th{text-align:left;font-weight:600;color:var(--soft);font-size:.8rem}th{white-space:nowrap}th,td{padding:.3rem .8rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:break-word}
time{white-space:nowrap}code{font:12px/1.4 ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:1rem 0}.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
.seal{background:var(--pale);border:1px solid var(--line);border-left:4px solid var(--good);padding:.8rem 1rem;margin:1rem 0}.seal.broken{border-left-color:var(--bad)}
@page{margin:16mm}@media print{body{max-width:none;padding:0;font-size:10pt}section.workload{break-before:page}tr,.seal{break-inside:avoid}h2,h3,h4{break-after:avoid}thead{display:table-header-group}a{color:inherit;text-decoration:none}}
`;

/** The page; `link` is where its next page of sections is. */
export function evidenceHtml(pack: EvidencePack, link: (after: string) => string): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Evidence of wave ${pack.waveId}</title><style>${new Html(css)}</style></head><body>
<header><p class="soft">Landfall · evidence of a migration wave</p><h1>${pack.name}</h1></header>
${facts(pack)}${seal(pack)}
<h2>Groups: window and cutover</h2>${table(
    ['Group', 'Status', 'Planned window', 'Cutover began', 'Cutover ended', 'In its window', 'Reason'],
    pack.groups.map((one) => [
      one.groupId,
      one.status,
      one.window && html`${time(one.window.opens)} – ${time(one.window.closes)}`,
      time(one.began),
      time(one.ended),
      one.inWindow === undefined ? '' : verdict(one.inWindow, 'yes', 'no'),
      one.reason,
    ]),
  )}
<h2>Steps</h2>${table(
    ['Step', 'Workloads', 'First began', 'Last ended', 'Median', 'Longest'],
    pack.steps.map((one) => [
      one.step,
      Object.entries(one.stands)
        .map(([status, count]) => `${count} ${status}`)
        .join(', '),
      time(one.first),
      time(one.last),
      span(one.medianSeconds),
      span(one.longestSeconds),
    ]),
  )}
${attempts('Steps of the environment', pack.environmentSteps)}
<h2>Workloads: downtime against prediction</h2>${table(
    ['Workload', 'Group', 'Source → target', 'Phase', 'Downtime', 'Predicted (high)', 'Checks', 'Undone', 'Entries'],
    pack.workloads.map((one) => [
      one.workloadId,
      one.groupId,
      `${one.source} → ${one.target}`,
      one.phase,
      span(one.downtime?.seconds) ?? (one.downtime && html`since ${time(one.downtime.began)}`),
      one.downtime?.predicted &&
        `${span(one.downtime.predicted.expectedSeconds)} (${span(one.downtime.predicted.highSeconds)})`,
      one.checks.failed > 0
        ? html`<span class="bad">${one.checks.failed} failed</span>, ${one.checks.passed} passed`
        : one.checks.passed > 0 && `${one.checks.passed} passed`,
      one.undone.join(', '),
      html`${one.version} · <code>${one.hash.slice(0, 12)}</code>`,
    ]),
  )}
<h2>Approvals</h2>${table(
    ['When', 'Who', 'Gate', 'Group', 'Decision', 'Comment'],
    pack.approvals.map(({ at, by, gate, groupId, decision, why }) => [time(at), by, gate, groupId, decision, why]),
  )}
<h2>Orders</h2>${table(
    ['When', 'Who', 'Order', 'Reason'],
    pack.orders.map(({ at, by, order, why }) => [time(at), by, order, why]),
  )}
<h2>Questions and answers</h2>${table(
    ['When', 'Step', 'What failed', 'Answer'],
    pack.questions.map((one) => [time(one.at), one.step, one.failure, one.answer]),
  )}
<h2>Undone</h2>${table(
    ['When', 'Who', 'Workload', 'Step', 'Outcome', 'Why'],
    pack.undone.map((one) => [time(one.at), one.by, one.workloadId, one.step, one.outcome, one.why]),
  )}
<h2>Versions of the plan</h2>${table(
    ['When', 'Who', 'From', 'To', 'Reason'],
    pack.plan.versions.map((one) => [time(one.at), one.by, code(one.before), code(one.after), one.why]),
  )}
${pack.sections.map(section)}
${pack.next === undefined ? '' : html`<p><a href="${link(pack.next)}">The next workloads</a></p>`}
</body></html>
`;
  return page.text;
}

function facts({ plan, ...pack }: EvidencePack): Html {
  const rows: [string, Part][] = [
    ['Wave', pack.waveId],
    ['Environment', pack.environment],
    ['Status', `${pack.status}${pack.reason === undefined ? '' : `: ${pack.reason}`}`],
    ['Posted by', pack.postedBy],
    ['Started', pack.startedAt && html`${time(pack.startedAt)} by ${pack.startedBy} (attempt ${pack.attempt})`],
    ['Ended', time(pack.endedAt)],
    ['Windows', plan.windows.slice(0, 5).map((one) => html`${time(one.opens)} – ${time(one.closes)}<br>`)],
    ['Zone of the windows', `${plan.zone}; times here are UTC`],
    ['Plan', code(plan.hash)],
    ['Built', time(pack.builtAt)],
  ];
  return html`<dl class="facts">${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value || '–'}</dd>`)}</dl>`;
}

function seal({ journal }: EvidencePack): Html {
  const { valid, misfits, head, root, verified, anchors, open } = journal;
  return html`<div class="seal${valid ? '' : ' broken'}"><p>${
    valid
      ? html`<span class="good">The journal is what was written.</span>`
      : html`<span class="bad">The journal does not fit.</span>`
  } Recomputed: the wave’s own journal and those of ${verified} workloads; ${anchors} anchors.</p>
${misfits.map((one) => html`<p class="bad">${one.workloadId ?? 'the wave'}, entry ${one.version ?? '?'}: ${one.reason}</p>`)}
${open.map((one) => html`<p>${one.workloadId}: ${one.step} began at ${time(one.since)} and has not ended.</p>`)}
<p>Head ${head.version}: ${code(head.hash)}<br>Root over the workloads’ heads: ${code(root)}</p></div>`;
}

function section({ workloadId, steps, isolation, checks, effects, effectsLeftOut }: Section): Html {
  return html`<section class="workload"><h2>${workloadId}</h2>${attempts('Steps', steps)}
<h4>Isolation of its clones</h4>${table(
    ['When', 'Moment', 'Proof', 'What was seen'],
    isolation.map((one) => [
      time(one.at),
      one.when,
      verdict(one.isolated, 'isolated', 'open'),
      html`${one.said.map((line) => html`${line}<br>`)}`,
    ]),
  )}
<h4>Checks</h4>${table(
    ['When', 'Step', 'Check', 'Result', 'Detail'],
    checks.map((one) => [time(one.at), one.step, one.name, verdict(one.passed, 'passed', 'failed'), one.detail]),
  )}
<h4>Effects</h4>${table(
    ['When', 'What', 'Before', 'After'],
    effects.map((one) => [time(one.at), one.what, code(one.before), code(one.after)]),
  )}${effectsLeftOut > 0 ? html`<p class="soft">${effectsLeftOut} more are in the journal.</p>` : ''}</section>`;
}

function attempts(title: string, rows: EvidencePack['environmentSteps']): Html {
  return html`<h4>${title}</h4>${table(
    ['Step', 'Attempt', 'Status', 'Began', 'Ended', 'Took', 'Who', 'Why', 'Evidence'],
    rows.map((one) => [
      one.step,
      one.attempt,
      verdict(!/failed/.test(one.status), one.status, one.status),
      time(one.began),
      time(one.ended),
      span(one.seconds),
      one.by,
      one.why,
      code(one.evidence),
    ]),
  )}`;
}

const none = html`<p class="soft">None.</p>`;
const code = (value: string | undefined): Part =>
  value === undefined || value === '' ? '' : html`<code>${value}</code>`;
const verdict = (good: boolean, yes: string, no: string): Html =>
  good ? html`<span class="good">${yes}</span>` : html`<span class="bad">${no}</span>`;
const time = (instant: string | undefined): Part =>
  instant && html`<time>${instant.replace('T', ' ').replace(/(\.\d+)?Z$/, '')}</time>`;

function table(heads: readonly string[], rows: readonly (readonly Part[])[]): Html {
  if (rows.length === 0) return none;
  return html`<table><thead><tr>${heads.map((head) => html`<th>${head}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table>`;
}

function span(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return [
    hours > 0 ? `${hours} h` : '',
    minutes > 0 ? `${minutes} min` : '',
    rest > 0 || whole === 0 ? `${rest} s` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
