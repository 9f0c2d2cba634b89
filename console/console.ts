// The page at `/`. It connects with a token, or with a ticket for it, sends frames and shows received frames.

const state = element('state', HTMLOutputElement);
const token = element('token', HTMLInputElement);
const frame = element('frame', HTMLTextAreaElement);
const frames = element('frames', HTMLOListElement);
const connectForm = element('connect', HTMLFormElement);
const sendForm = element('send', HTMLFormElement);

const exampleFrame = { type: 'demo-message-send', content: { text: 'Hello' }, id: '1' };
/** The page removes older frames, so that a busy session does not fill it. */
const maxFrames = 500;

const stagePath = '/live';
const refused = 'refused: is the token right?';

/** Ends the connection, or the attempt at one. Undefined: there is none. */
let ending: AbortController | undefined;
let socket: WebSocket | undefined;

frame.value = JSON.stringify(exampleFrame);
// The token comes from the fragment, which a browser never sends to a server: /#token=…
token.value = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

connectForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (ending) ending.abort(new Error('not connected'));
  else void connect(token.value.trim());
});

sendForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(frame.value);
  show('sent', '→', frame.value);
});

async function connect(jwt: string): Promise<void> {
  const { signal } = (ending = new AbortController());
  showState('connecting', 'connecting …', 'Cancel');
  try {
    const [parameter, entry] = await Promise.all([readParameter(signal), readEntry(jwt, signal)]);
    open(parameter, entry, signal);
  } catch (cause) {
    showEnd(cause instanceof Error ? cause.message : String(cause));
  }
}

function open(parameter: string, entry: string, signal: AbortSignal): void {
  const address = new URL(location.origin.replace(/^http/, 'ws') + stagePath);
  address.searchParams.set(parameter, entry);
  const opening = new WebSocket(address);
  let hasOpened = false;
  socket = opening;
  signal.addEventListener('abort', () => {
    opening.close(1000);
  });
  opening.addEventListener('open', () => {
    hasOpened = true;
    showState('open', 'connected', 'Disconnect');
  });
  opening.addEventListener('message', ({ data }) => {
    const text = String(data);
    show(kindOf(text), '←', text);
  });
  opening.addEventListener('close', ({ code, reason }) => {
    const end = `closed with ${String(code)}${reason === '' ? '' : ` ${reason}`}`;
    // A browser does not report the status of a refused handshake. The server's log holds the reason.
    showEnd(hasOpened ? end : refused);
  });
}

/** The query parameter that the stage demands. The setting `tokenParameter` names it. */
async function readParameter(signal: AbortSignal): Promise<string> {
  const response = await fetch('/_local/stages', { signal });
  const { stages } = (await response.json()) as {
    stages: readonly { path: string; queryParameters: readonly string[] }[];
  };
  return stages.find(({ path }) => path === stagePath)?.queryParameters[0] ?? 'token';
}

/** A ticket for the token. With `connectWith: token` the stack has no route for tickets, so it is the token itself. */
async function readEntry(jwt: string, signal: AbortSignal): Promise<string> {
  const headers = { authorization: `Bearer ${jwt}` };
  const response = await fetch('/tickets', { method: 'POST', headers, signal });
  if (response.status === 404) return jwt;
  if (response.status === 403) throw new Error(refused);
  if (!response.ok) throw new Error(`no ticket: ${String(response.status)}`);
  return ((await response.json()) as { ticket: string }).ticket;
}

function showEnd(text: string): void {
  ending = undefined;
  socket = undefined;
  showState('closed', text, 'Connect');
}

function showState(name: 'connecting' | 'open' | 'closed', text: string, action: string): void {
  state.value = text;
  state.dataset.state = name;
  button(connectForm).textContent = action;
  button(sendForm).disabled = name !== 'open';
}

function show(kind: string, direction: string, text: string): void {
  const row = document.createElement('li');
  row.dataset.kind = kind;
  row.append(
    part('time', new Date().toLocaleTimeString(undefined, { hour12: false })),
    part('span', direction, 'direction'),
    part('code', text),
  );
  frames.prepend(row);
  while (frames.childElementCount > maxFrames) frames.lastElementChild?.remove();
}

function part(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

function kindOf(text: string): string {
  return /^\{"type":"(error|closing)"/.exec(text)?.[1] ?? 'received';
}

function button(form: HTMLFormElement): HTMLButtonElement {
  const found = form.querySelector('button');
  if (!found) throw new Error('The form has no button.');
  return found;
}

function element<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}.`);
  return found;
}
