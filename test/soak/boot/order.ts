// The guest's service, as its source names it: node order.ts <port> start|stop|status. Ends as systemctl would, also when the
// machine is off.
const [port = '', order = ''] = process.argv.slice(2);
try {
  const url = `http://127.0.0.1:${port}/cgi-bin/journal?${order}`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(20_000) });
  console.info((await answer.text()).trim());
  process.exitCode = Number(answer.headers.get('x-exit') ?? 1);
} catch (error) {
  console.error(`the machine does not answer: ${String(error)}`);
  process.exitCode = order === 'status' ? 3 : 1;
}
