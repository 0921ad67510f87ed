// The one thing that the rest of the host knows of OpenTelemetry. The packages behind it are development dependencies and
// take time to load, so they are imported only where settings name a collector.
import { BlockList, isIP } from 'node:net';
import type { FunctionMetadata } from '../coreModule.ts';
import type { InvocationRequest } from '../invoke.ts';
import type { HostLog } from '../log.ts';
import type { Settings } from '../settings.ts';
import type { TraceContext } from './traceContext.ts';

export type { TraceContext };

export interface InvocationSpan {
  trace: TraceContext;
  /** `error` is what the invocation failed with, `status` that of its HTTP answer. */
  end(error?: unknown, status?: number): void;
}

export interface SpanSource {
  start(metadata: FunctionMetadata, invocationId: string, request: InvocationRequest): InvocationSpan;
  /** Sends what is left. */
  stop(): Promise<void>;
}

// Where clouds keep machines' secrets; nothing there takes spans.
const forbidden = new BlockList();
forbidden.addSubnet('169.254.0.0', 16, 'ipv4');
forbidden.addAddress('168.63.129.16', 'ipv4');
forbidden.addSubnet('fe80::', 10, 'ipv6');
forbidden.addAddress('fd00:ec2::254', 'ipv6');

/**
 * Starts exporting if the settings of OpenTelemetry name a collector
 * (https://opentelemetry.io/docs/specs/otel/protocol/exporter/). `seed` keeps the traces of orchestrations apart from
 * those of other hosts.
 */
export async function startSpans(
  settings: Settings,
  seed: () => Promise<string>,
  log: HostLog,
): Promise<SpanSource | undefined> {
  const name = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find((each) => settings[each]);
  const isOff = settings['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || settings['OTEL_TRACES_EXPORTER'] === 'none';
  if (name === undefined || isOff) return undefined;
  checkEndpoint(name, settings[name] ?? '');
  const protocol = settings['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? settings['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol === 'grpc')
    throw new Error('OTEL_EXPORTER_OTLP_PROTOCOL is grpc; this host sends spans over HTTP, write http/json.');
  if (protocol === 'http/protobuf') log.line('warning', 'telemetry', 'spans are sent as http/json, not http/protobuf');
  return (await import('./otlp.ts')).otlpSpans(await seed(), log);
}

function checkEndpoint(name: string, endpoint: string): void {
  const url = URL.parse(endpoint);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new Error(`${name} is "${endpoint}", which is no http or https address.`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family !== 0 && forbidden.check(host, family === 6 ? 'ipv6' : 'ipv4'))
    throw new Error(`${name} is "${endpoint}": spans are not sent to link-local and metadata addresses.`);
}
