// The host's one HTTP server. It knows which requests are being answered, so that a stop can wait for them.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { requestUrl } from './http/front.ts';
import { answerError, answerUnreadable } from './http/refusals.ts';
import type { HostLog } from './log.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

export class HostServer {
  // As long as Kestrel takes, the server of the real host.
  readonly #server: Server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize: 32 * 1024 });
  readonly #log: HostLog;
  #open = 0;
  #idle: (() => void)[] = [];

  constructor(log: HostLog) {
    this.#log = log;
    this.#server.on('clientError', answerUnreadable);
  }

  /** Answers its address. */
  listen(port: number): Promise<string> {
    return new Promise((done, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        const address = this.#server.address();
        done(`http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`);
      });
    });
  }

  serve(endpoint: string, answer: Answer): void {
    this.#server.on('request', (request, response) => {
      this.#open++;
      response.once('close', () => {
        this.#open--;
        if (!response.writableFinished)
          this.#log.line('debug', 'http', 'the connection closed before the answer was complete', {
            method: request.method,
            path: request.url?.split('?')[0],
          });
        if (this.#open === 0) for (const resolve of this.#idle.splice(0)) resolve();
      });
      const answered = async () => answer(request, response, requestUrl(request, endpoint));
      answered().catch((error: unknown) => answerError(error, { request, response, what: 'http', log: this.#log }));
    });
  }

  /** Resolves when no request is being answered. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await new Promise<void>((done) => {
      this.#server.close(() => done());
      this.#server.closeAllConnections();
    });
  }
}
