import { connect } from '@switchboard/client';

interface Order {
  readonly orderId: string;
  readonly sku: string;
  readonly quantity: number;
}

const { url = '', token = '' } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
const client = connect<
  { 'order-created': Order; 'order-cancelled': Pick<Order, 'orderId'> },
  {
    'order-create': { content: Omit<Order, 'orderId'>; answer: Order };
    'order-cancel': { content: Pick<Order, 'orderId'>; answer: unknown };
  }
>({
  url,
  token,
});

const show = (id: string, text: string): void => {
  document.querySelector(`#${id}`)?.replaceChildren(text);
};
client.on('status', ({ state }) => show('status', state));

const items = new Map<string, HTMLLIElement>();

function add({ sku, quantity, orderId }: Order): void {
  const item = document.createElement('li');
  item.textContent = `${quantity} × ${sku} (${orderId.slice(0, 8)}) `;
  const cancel = document.createElement('button');
  cancel.textContent = 'Cancel';
  cancel.addEventListener('click', () => {
    client.send('order-cancel', { orderId }).catch((error: unknown) => show('outcome', String(error)));
  });
  item.append(cancel);
  items.set(orderId, item);
  document.querySelector('#orders')?.prepend(item);
}

client.subscribe('orders', (content, { type }) => {
  const order = content as Order;
  if (type === 'order-created') add(order);
  // The row is gone from the table, whoever deleted it.
  if (type === 'order-cancelled') items.get(order.orderId)?.remove();
});

document.querySelector('form')?.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(event.currentTarget as HTMLFormElement);
  const order = { sku: String(fields.get('sku')), quantity: Number(fields.get('quantity')) };
  client.send('order-create', order).then(
    ({ orderId }) => show('outcome', `Ordered: ${orderId}`),
    (error: unknown) => show('outcome', String(error)),
  );
});
