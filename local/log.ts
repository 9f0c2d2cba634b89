export type LogEntry =
  | {
      readonly kind: 'request';
      readonly at: string;
      readonly what: string;
      readonly status: number | string;
      readonly ms: number;
      readonly detail?: string;
    }
  | { readonly kind: 'output'; readonly at: string; readonly function: string; readonly text: string };

export interface RequestLine {
  /** Method and path, or event type, route key and connection id. Never a query string, a token or a body. */
  readonly what: string;
  readonly status: number | string;
  readonly ms: number;
  readonly detail?: string;
}

export interface Log {
  request(line: RequestLine): void;
  output(functionName: string, text: string): void;
  entries(): readonly LogEntry[];
}

/** Keeps the last entries for `/_local/log` and hands each on as one line (a function's output: one per line of it). */
export function createLog(
  now: () => number,
  onLine: (line: string) => void = () => undefined,
  keep = 1000,
): Log {
  const kept: LogEntry[] = [];
  const add = (entry: LogEntry): void => {
    kept.push(entry);
    if (kept.length > keep) kept.shift();
  };
  return {
    request(line) {
      const { status, detail } = line;
      const what = withoutTokens(line.what);
      const ms = Math.round(line.ms);
      const at = new Date(now()).toISOString();
      add({ kind: 'request', at, what, status, ms, ...(detail === undefined ? {} : { detail }) });
      onLine(
        `${what} ${String(status)} ${String(ms)} ms${detail === undefined ? '' : `  ${oneLine(detail)}`}`,
      );
    },
    output(functionName, text) {
      const at = new Date(now()).toISOString();
      for (const line of text.split(/\r?\n/).filter((each) => each !== '')) {
        add({ kind: 'output', at, function: functionName, text: line });
        onLine(`  ${functionName}: ${line}`);
      }
    },
    entries: () => [...kept],
  };
}

/** A client that builds its URL wrongly puts its token into the path; it is no more ours to show than in the query. */
function withoutTokens(what: string): string {
  return what.replace(/eyJ[\w-]*(\.[\w-]*){1,2}/g, '…');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}
