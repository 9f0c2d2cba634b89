// The page at `/`. It connects with a token, sends frames and shows received frames.

const state = element('state', HTMLOutputElement);
const token = element('token', HTMLInputElement);
const frame = element('frame', HTMLTextAreaElement);
const frames = element('frames', HTMLOListElement);
const connectForm = element('connect', HTMLFormElement);
const sendForm = element('send', HTMLFormElement);

const exampleFrame = { type: 'demo-message-send', content: { text: 'Hello' }, id: '1' };
/** The page removes older frames, so that a busy session does not fill it. */
const maxFrames = 500;

let socket: WebSocket | undefined;

frame.value = JSON.stringify(exampleFrame);
// The token comes from the fragment, which a browser never sends to a server: /#token=…
token.value = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';

connectForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket) socket.close(1000);
  else connect(token.value.trim());
});

sendForm.addEventListener('submit', (event) => {
  event.preventDefault();
  if (socket?.readyState !== WebSocket.OPEN) return;
  socket.send(frame.value);
  show('sent', '→', frame.value);
});

function connect(jwt: string): void {
  const opening = new WebSocket(
    `${location.origin.replace(/^http/, 'ws')}/live?token=${encodeURIComponent(jwt)}`,
  );
  let hasOpened = false;
  socket = opening;
  showState('connecting', 'connecting …', 'Cancel');
  opening.addEventListener('open', () => {
    hasOpened = true;
    showState('open', 'connected', 'Disconnect');
  });
  opening.addEventListener('message', ({ data }) => {
    const text = String(data);
    show(kindOf(text), '←', text);
  });
  opening.addEventListener('close', ({ code, reason }) => {
    socket = undefined;
    const end = `closed with ${String(code)}${reason === '' ? '' : ` ${reason}`}`;
    // A browser does not report the status of a refused handshake. The server's log holds the reason.
    showState('closed', hasOpened ? end : 'refused: is the token right?', 'Connect');
  });
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
