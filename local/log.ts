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

/** Keeps the last entries for `/_local/log`. Passes each on as one line; the output of a function may be several. */
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

/**
 * A value of a frame that is safe to log: a name of at most 64 letters, digits and `$._:/-`. A client chooses the value,
 * so anything else becomes `?`: it could be content, a token, or characters that forge a line. No value becomes `-`.
 */
export function nameForLog(value: string): string {
  if (value === '') return '-';
  return /^[\w$.:/-]{1,64}$/.test(value) && !/^(eyJ|swt_)/.test(value) ? value : '?';
}

/**
 * A client that builds its URL wrongly puts its token or ticket into the path. JSON Web Tokens start with `eyJ`, tickets
 * with `swt_`.
 */
function withoutTokens(what: string): string {
  return what.replace(/eyJ[\w-]*(\.[\w-]*){1,2}|swt_[\w-]+/g, '…');
}

/** Control characters in a detail could forge a line or move the cursor of a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ');
}
